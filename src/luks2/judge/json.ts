import type { Metadata } from "../metadata.ts";
import type { HeaderCopy } from "../decode.ts";
import { type AddFinding, inArea } from "../findings.ts";
import { BINARY_BYTES } from "../geometry.ts";
import { metadata } from "../json/description.ts";
import { JsonJudge } from "../json/judge.ts";
import { printedLength } from "../json/printed.ts";
import { read } from "../json/read.ts";
import type { JsonNode, JsonParsed } from "../json/value.ts";
import { reencryptionOf } from "../reencryption/reencryption.ts";
import { judgeConfig } from "./config.ts";
import { judgeKeyslots } from "./keyslots.ts";
import { judgeReencryption } from "./reencryption.ts";
import { judgeSegments } from "./segments.ts";

/**
 * Judges the JSON area of a copy with a correct checksum, as far as it is checked without a
 * passphrase: the text, then each value by its description, then values that depend on each other.
 *
 * @returns the values, if all sections exist
 */
export function judgeJson(
  copy: HeaderCopy,
  parsed: JsonParsed,
  add: AddFinding,
): Pick<Metadata, "json" | "reencryption"> | undefined {
  judgeText(copy, parsed, add);
  const { root } = parsed;
  if (root === undefined) return undefined;
  const context = { "length of the JSON area": copy.header.hdr_size - BigInt(BINARY_BYTES) };
  const judge = new JsonJudge(copy, root, { context, add });
  if (!judge.judge(metadata)) return undefined;
  const { json, reencryption, size } = valuesOf(root);
  judgeConfig(json, judge);
  judgeSegments(json, reencryption, judge);
  judgeReencryption(json, judge);
  judgeKeyslots(json, judge);
  judge.must(
    size <= copy.area.length,
    "luks2.json.fits",
    "",
    () => `The JSON has ${size} bytes as written by json-c, but its area only ${copy.area.length}`,
  );
  return { json, reencryption };
}

type Values = Pick<Metadata, "json" | "reencryption"> & {
  /** Length in bytes as json-c prints it. */
  readonly size: number;
};

/** What was read of JSON: both copies of a header often have the same. */
const known = new WeakMap<JsonNode, Values>();

function valuesOf(root: JsonNode): Values {
  const had = known.get(root);
  if (had !== undefined) return had;
  const json = read(metadata, root);
  const values = { json, reencryption: reencryptionOf(json), size: printedLength(root) };
  known.set(root, values);
  return values;
}

const FAULTS = {
  syntax: "luks2.json.syntax",
  depth: "luks2.json.depth",
  values: "luks2.work.values",
} as const;

function judgeText(copy: HeaderCopy, { fault, lax, end }: JsonParsed, add: AddFinding): void {
  const { area } = copy;
  const text = `The JSON of the ${copy.name} copy`;
  const at = (offset: number) => inArea(copy, offset);
  if (area[0] !== 0x7b) add("luks2.json.start", at(0), () => `${text} does not start with '{'`);
  for (const { at: offset, what } of lax) {
    add("luks2.json.strict", at(offset), () => `${text} contains ${what}`);
  }
  if (fault !== undefined) {
    add(FAULTS[fault.kind], at(fault.at), () => `${text} cannot be parsed: ${fault.what}`);
  }
  if (end === undefined) return;
  const other = firstOther(area, end);
  if (end < area.length && other === undefined) return;
  add("luks2.json.terminated", at(other ?? end), () => {
    if (other === undefined) return `${text} fills its area, and no NUL byte follows it`;
    return `${text} is followed by a byte that is not NUL, ${other - end} bytes after its end`;
  });
}

/** Index of the first byte that is not NUL. An area may be megabytes of zeros. */
function firstOther(area: Uint8Array, from: number): number | undefined {
  for (let at = from; at < area.length; at++) if (area[at] !== 0) return at;
  return undefined;
}
