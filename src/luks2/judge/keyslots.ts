import { materialBytes, STRIPES } from "../geometry.ts";
import { isFilled } from "./references.ts";
import { isInteger } from "./segments.ts";
import type { JsonNode, JsonObject } from "../json/value.ts";
import { digestsOf, type Keyslot, keyslotsOf } from "../keyslots/keyslots.ts";
import { int32, member, members, text, uint32 } from "../json/access.ts";
import type { JsonJudge } from "../findings.ts";

const KDF_FIELDS = {
  pbkdf2: { strings: ["hash", "salt"], integers: ["iterations"] },
  argon2i: { strings: ["salt"], integers: ["time", "memory", "cpus"] },
  argon2id: { strings: ["salt"], integers: ["time", "memory", "cpus"] },
} as const;

/** Judges the key slots but for where their areas lie. */
export function judgeKeyslots(root: JsonObject, judge: JsonJudge): void {
  const digests = new Map<string, number>();
  for (const { keyslots } of digestsOf(root)) {
    for (const name of new Set(keyslots)) digests.set(name, (digests.get(name) ?? 0) + 1);
  }
  for (const slot of keyslotsOf(root)) {
    const { name, node, type } = slot;
    const size = member(node, "key_size");
    judge.must(
      isFilled(member(node, "type")) && uint32(size) !== undefined,
      "luks2.keyslot.fields",
      { node, path: `/keyslots/${name}` },
      () => `Key slot ${name} has no type, or no key_size from 0 to 2^32 - 1`,
    );
    judgePriority(slot, judge);
    if (type === "luks2") judgeLuks2Slot(slot, judge, digests.get(String(slot.number)) ?? 0);
  }
}

function judgePriority({ name, node }: Keyslot, judge: JsonJudge): void {
  const priority = member(node, "priority");
  judge.must(
    priority === undefined || [0, 1, 2].includes(int32(priority) ?? -1),
    "luks2.keyslot.priority",
    { node: priority, path: `/keyslots/${name}/priority` },
    () => `The priority of key slot ${name} is not 0, 1 or 2`,
  );
}

function judgeLuks2Slot(slot: Keyslot, judge: JsonJudge, digests: number): void {
  const { name, node } = slot;
  const path = `/keyslots/${name}`;
  judge.must(
    digests === 1,
    "luks2.keyslot.digest",
    { node, path },
    () => `Key slot ${name} has ${digests} digests`,
  );
  const parts = ["kdf", "af", "area"].map((part) => member(node, part));
  const [kdf, af, area] = parts;
  const complete = judge.must(
    parts.every((part) => part?.kind === "object"),
    "luks2.keyslot.objects",
    { node, path },
    () => `Key slot ${name} has no kdf, af or area`,
  );
  if (!complete) return;
  judgeKdf(kdf, { name, path }, judge);
  judge.must(
    text(member(af, "type")) === "luks1" && isFilled(member(af, "hash")) &&
      isInteger(member(af, "stripes")),
    "luks2.af.fields",
    { node: af, path: `${path}/af` },
    () => `af of key slot ${name} has not the type luks1, a hash and stripes`,
  );
  const { stripes } = slot.af;
  judge.must(
    stripes === STRIPES || !isInteger(member(af, "stripes")),
    "luks2.af.stripes",
    { node: member(af, "stripes"), path: `${path}/af/stripes` },
    () => `Key slot ${name} has ${stripes} stripes, not ${STRIPES}`,
  );
  judge.must(
    text(member(area, "type")) === "raw" && isFilled(member(area, "encryption")) &&
      isInteger(member(area, "key_size")),
    "luks2.area.raw",
    { node: area, path: `${path}/area` },
    () => `The area of key slot ${name} has not the type raw, an encryption and a key_size`,
  );
  const needed = materialBytes(slot.keyBytes);
  judge.must(
    slot.area.size >= BigInt(needed),
    "luks2.area.size",
    { node: member(area, "size"), path: `${path}/area/size` },
    () => `The area of key slot ${name} has ${slot.area.size} bytes, and its key takes ${needed}`,
  );
}

function judgeKdf(
  kdf: JsonNode | undefined,
  { name, path }: { name: string; path: string },
  judge: JsonJudge,
): void {
  const type = text(member(kdf, "type")) ?? "";
  const { strings, integers } = fieldsOf(type);
  const at = { node: kdf, path: `${path}/kdf` };
  const complete = judge.must(
    type !== "" && strings.every((field) => isFilled(member(kdf, field))) &&
      integers.every((field) => isInteger(member(kdf, field))),
    "luks2.kdf.fields",
    at,
    () => `kdf of key slot ${name} lacks what a key derivation of its type needs`,
  );
  const known = ["type", ...strings, ...integers];
  const others = members(kdf).map(([field]) => field).filter((field) => !known.includes(field));
  judge.must(
    !complete || type in KDF_FIELDS === false || others.length === 0,
    "luks2.kdf.other-fields",
    at,
    () => `kdf of key slot ${name} has ${others.slice(0, 3).join(", ")} too`,
  );
}

function fieldsOf(type: string): { strings: readonly string[]; integers: readonly string[] } {
  const none = { strings: [], integers: [] };
  return Object.hasOwn(KDF_FIELDS, type) ? KDF_FIELDS[type as keyof typeof KDF_FIELDS] : none;
}
