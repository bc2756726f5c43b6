import type { JsonNode, JsonObject } from "../json/value.ts";
import { member, members, text, texts } from "../json/access.ts";
import type { JsonJudge } from "../findings.ts";

/** Judges tokens: what all of them have in common. */
export function judgeTokens(root: JsonObject, judge: JsonJudge): void {
  const keyslots = member(root, "keyslots");
  for (const [name, node] of members(member(root, "tokens"))) {
    const path = `/tokens/${name}`;
    const named = member(node, "keyslots");
    judge.must(
      isFilled(member(node, "type")) && named?.kind === "array",
      "luks2.token.fields",
      { node, path },
      () => `Token ${name} has no type or no array of key slots`,
    );
    const missing = firstMissing(named, keyslots);
    judge.must(
      missing === undefined,
      "luks2.token.keyslots",
      { node: named, path: `${path}/keyslots` },
      () => `Token ${name} names the key slot ${missing}, which there is not`,
    );
  }
}

/** Judges digests: what all of them have in common. */
export function judgeDigests(root: JsonObject, judge: JsonJudge): void {
  for (const [name, node] of members(member(root, "digests"))) {
    const path = `/digests/${name}`;
    const sections = ["keyslots", "segments"] as const;
    judge.must(
      isFilled(member(node, "type")) &&
        sections.every((section) => member(node, section)?.kind === "array"),
      "luks2.digest.fields",
      { node, path },
      () => `Digest ${name} has no type, or no array of key slots or segments`,
    );
    for (const section of sections) {
      const named = member(node, section);
      const missing = firstMissing(named, member(root, section));
      judge.must(
        missing === undefined,
        "luks2.digest.references",
        { node: named, path: `${path}/${section}` },
        () => `Digest ${name} names ${missing} of ${section}, which there is not`,
      );
    }
  }
}

/** Whether a value is a string that is not empty. */
export function isFilled(node: JsonNode | undefined): boolean {
  return (text(node) ?? "") !== "";
}

/** The first of the names in an array that a section has no object of. */
function firstMissing(
  named: JsonNode | undefined,
  section: JsonNode | undefined,
): string | undefined {
  if (named?.kind !== "array") return undefined;
  if (texts(named) === undefined) return "something that is no string";
  const name = texts(named)?.find((key) => member(section, key)?.kind !== "object");
  return name === undefined ? undefined : JSON.stringify(name);
}
