import { type ByteSource, MemorySource, SECTOR, startsWith } from "../../bytes/mod.ts";
import type { KeyArea } from "../../format/mod.ts";
import { decode } from "../../layout/mod.ts";
import { ruleOf } from "../../rules/mod.ts";
import { decodeLuks1 } from "../decode.ts";
import { materialSectors } from "../geometry.ts";
import { judgeLuks1 } from "../judge/header.ts";
import { header as headerStruct, HEADER_BYTES, LUKS_MAGIC } from "../structures.ts";

/** Key material is within as many bytes; it takes 2 MiB. */
const AREA_MAX = 2 ** 26;

/**
 * Header and key material of a volume or of a detached header, as far as key material reaches.
 *
 * @returns the place, or why there is none to write to, as the end of a sentence; `undefined` where the
 * file does not start with LUKS
 */
export function keyAreaOf(source: ByteSource): KeyArea | string | undefined {
  const { magic, version } = decode(headerStruct, source.read(0, headerStruct.size));
  if (!startsWith(magic, LUKS_MAGIC)) return undefined;
  if (version !== 1) return `it is LUKS of version ${version}, and keys are those of version 1`;
  const detached = decodeLuks1(source).payload_offset === 0;
  return keyAreaIn(source, { offset: 0, length: source.size }, detached ? "detached" : "alone");
}

/**
 * The same for a header that is in a part of a file.
 *
 * @returns the place, or why there is none to write to, as the end of a sentence
 */
export function keyAreaIn(
  source: ByteSource,
  { offset, length }: KeyArea,
  kind: "alone" | "detached" | "inside",
): KeyArea | string {
  const header = decodeLuks1(new MemorySource(source.read(offset, HEADER_BYTES)));
  const broken: string[] = [];
  judgeLuks1(header, (rule, _, message) => {
    // What QEMU does not know, cryptsetup may; and only keys matter here.
    const about = rule.startsWith("luks.header.") || rule.startsWith("luks.slot.");
    if (about && ruleOf(rule).effect === "refused-at-open") broken.push(message());
  }, { kind, headerBytes: length });
  if (broken[0] !== undefined) return `its header is not sound: ${broken[0]}`;
  const last = Math.max(...header.slots.map((slot) => slot.key_material_offset));
  const end = (last + materialSectors(header.key_bytes)) * SECTOR;
  if (end > AREA_MAX) {
    return `its key material ends at byte ${end}, further than any writer puts it`;
  }
  return { offset, length: Math.min(length, end) };
}
