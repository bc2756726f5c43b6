import { judgeConfig, judgeConfigSizes } from "./config.ts";
import { judgeDigests, judgeTokens } from "./references.ts";
import { judgeKeyslots } from "./keyslots.ts";
import { judgeAreas } from "./areas.ts";
import { judgeReencryption } from "./reencryption.ts";
import { judgeSegments } from "./segments.ts";
import type { HeaderCopy } from "../decode.ts";
import type { JsonObject, JsonParsed } from "../json/value.ts";
import { printedLength } from "../json/printed.ts";
import { member, members } from "../json/access.ts";
import { type AddFinding, JsonJudge, placeOf } from "../findings.ts";

/** The objects that the outermost one has, and whether their members are named by numbers. */
const SECTIONS = {
  keyslots: true,
  tokens: true,
  segments: true,
  digests: true,
  config: false,
} as const;

/**
 * Judges the JSON area of a copy whose checksum is right, by what an open looks at without a
 * passphrase, in the order in which cryptsetup does.
 */
export function judgeJson(copy: HeaderCopy, parsed: JsonParsed, add: AddFinding): void {
  const { root } = parsed;
  judgeText(copy, parsed, add);
  const judge = new JsonJudge(copy, add);
  if (root === undefined || !judgeSections(root, judge)) return;
  judgeConfig(root, judge);
  judgeTokens(root, judge);
  judgeDigests(root, judge);
  judgeSegments(root, judge);
  judgeReencryption(root, judge);
  judgeKeyslots(root, judge);
  judgeConfigSizes(root, judge);
  judgeAreas(root, judge);
  const size = printedLength(root);
  judge.must(
    size <= copy.area.length,
    "luks2.json.fits",
    { node: root, path: "" },
    () => `json-c writes the JSON in ${size} bytes, and its area has ${copy.area.length}`,
  );
}

const FAULTS = {
  syntax: "luks2.json.syntax",
  depth: "luks2.json.depth",
  values: "luks2.work.values",
} as const;

function judgeText(copy: HeaderCopy, { fault, lax, end }: JsonParsed, add: AddFinding): void {
  const at = (offset: number) => placeOf(copy, "", { start: offset });
  if (copy.area[0] !== 0x7b) {
    add(
      "luks2.json.start",
      at(0),
      () => `The JSON of the ${copy.name} copy does not start with '{'`,
    );
  }
  for (const { at: offset, what } of lax) {
    add(
      "luks2.json.strict",
      at(offset),
      () => `There is ${what} in the JSON of the ${copy.name} copy`,
    );
  }
  if (fault !== undefined) {
    const message = () => `The JSON of the ${copy.name} copy cannot be read: ${fault.what}`;
    add(FAULTS[fault.kind], at(fault.at), message);
  }
  if (end === undefined) return;
  const rest = copy.area.subarray(end);
  const other = firstOther(rest);
  if (rest.length > 0 && other < 0) return;
  const message = () =>
    rest.length === 0
      ? `The JSON of the ${copy.name} copy fills its area, without a NUL byte`
      : `There is something else than NUL bytes behind the JSON of the ${copy.name} copy`;
  add("luks2.json.terminated", at(end + Math.max(0, other)), message);
}

function judgeSections(root: JsonParsed["root"], judge: JsonJudge): root is JsonObject {
  const object = judge.must(
    root?.kind === "object",
    "luks2.json.sections",
    { node: root, path: "" },
    () => "The outermost value is no object",
  );
  if (!object) return false;
  return Object.entries(SECTIONS).map(([name, numbered]) => {
    const section = member(root, name);
    const path = `/${name}`;
    const there = judge.must(
      section?.kind === "object",
      "luks2.json.sections",
      { node: section ?? root, path },
      () => `There is no object ${name}`,
    );
    for (const [key, node] of numbered ? members(section) : []) {
      judge.must(
        /^[0-9]*$/.test(key),
        "luks2.json.names",
        { node, path: `${path}/${key}` },
        () => `${JSON.stringify(key)} in ${name} is no decimal number`,
      );
    }
    return there;
  }).every((there) => there);
}

/** Where the first byte is that is none of zeros, or -1. An area may be megabytes of zeros. */
function firstOther(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.length; at++) if (bytes[at] !== 0) return at;
  return -1;
}
