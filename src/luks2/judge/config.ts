import { BINARY_BYTES, HEADER_SIZES, KEYSLOTS_SIZE_MAX, UNIT } from "../geometry.ts";
import type { JsonNode, JsonObject } from "../json/value.ts";
import { isBackup } from "../segments/segments.ts";
import { isDecimal, looseUint64, member, members, text, texts, uint64 } from "../json/access.ts";
import type { JsonJudge } from "../findings.ts";
import { isOnline } from "../requirements.ts";

/** Judges what config says without numbers: its flags, and what it requires. */
export function judgeConfig(root: JsonObject, judge: JsonJudge): void {
  const config = member(root, "config");
  const flags = member(config, "flags");
  judge.must(
    flags === undefined || texts(flags) !== undefined,
    "luks2.config.flags",
    { node: flags, path: "/config/flags" },
    () => "The flags of config are no array of strings",
  );
  const requirements = member(config, "requirements");
  const path = "/config/requirements";
  judge.must(
    requirements === undefined || requirements.kind === "object",
    "luks2.config.requirements",
    { node: requirements, path },
    () => "requirements is no object",
  );
  const mandatory = member(requirements, "mandatory");
  judge.must(
    mandatory === undefined || texts(mandatory) !== undefined,
    "luks2.config.requirements",
    { node: mandatory, path: `${path}/mandatory` },
    () => "The mandatory requirements are no array of strings",
  );
  const online = texts(mandatory)?.filter((name) => isOnline(name)) ?? [];
  judge.must(
    online.length <= 1,
    "luks2.config.one-reencryption",
    { node: mandatory, path: `${path}/mandatory` },
    () => `There are ${online.length} requirements of an online reencryption`,
  );
}

/** Judges the sizes that config names, which have to fit the binary header and the segments. */
export function judgeConfigSizes(root: JsonObject, judge: JsonJudge): void {
  const config = member(root, "config");
  for (const name of ["json_size", "keyslots_size"]) {
    const node = member(config, name);
    const digits = text(node);
    judge.must(
      digits === undefined || looseUint64(node) === undefined || isDecimal(digits),
      "luks2.config.decimal",
      { node, path: `/config/${name}` },
      () => `${name} is ${JSON.stringify(digits)}`,
    );
  }
  judgeJsonSize(member(config, "json_size"), config, judge);
  judgeKeyslotsSize(root, config, judge);
}

function judgeJsonSize(
  node: JsonNode | undefined,
  config: JsonNode | undefined,
  judge: JsonJudge,
): void {
  const size = looseUint64(node);
  const { hdr_size } = judge.copy.header;
  const wanted = hdr_size - BigInt(BINARY_BYTES);
  judge.must(
    size === wanted && HEADER_SIZES.includes(Number(hdr_size)),
    "luks2.config.json-size",
    { node: node ?? config, path: "/config/json_size" },
    () => `json_size is ${size ?? "no number"}, and the JSON area has ${wanted} bytes`,
  );
}

function judgeKeyslotsSize(
  root: JsonObject,
  config: JsonNode | undefined,
  judge: JsonJudge,
): void {
  const node = member(config, "keyslots_size");
  const size = looseUint64(node);
  const at = { node: node ?? config, path: "/config/keyslots_size" };
  judge.must(
    size !== undefined && size % BigInt(UNIT) === 0n,
    "luks2.config.keyslots-size",
    at,
    () => `keyslots_size is ${size ?? "no number"}, no multiple of ${UNIT}`,
  );
  if (size === undefined) return;
  judge.must(
    size <= BigInt(KEYSLOTS_SIZE_MAX),
    "luks2.config.keyslots-size-max",
    at,
    () => `keyslots_size is ${size}, more than ${KEYSLOTS_SIZE_MAX}`,
  );
  const start = dataOffset(root);
  const end = 2n * judge.copy.header.hdr_size + size;
  judge.must(
    start === 0n || start >= end,
    "luks2.config.before-data",
    at,
    () => `The area for key slots ends at byte ${end}, and a segment starts at ${start}`,
  );
}

/** Where the first of the segments that are no backup starts. */
export function dataOffset(root: JsonNode | undefined): bigint {
  const offsets = members(member(root, "segments"))
    .filter(([, segment]) => !isBackup(segment))
    .map(([, segment]) => uint64(member(segment, "offset")) ?? 0n);
  return offsets.reduce((least, offset) => offset < least ? offset : least, offsets[0] ?? 0n);
}
