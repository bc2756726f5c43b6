import { type ByteSource, MemorySource, SECTOR, startsWith } from "../../bytes/mod.ts";
import type { KeyArea } from "../../format/mod.ts";
import { decode } from "../../layout/mod.ts";
import { ruleOf } from "../../rules/mod.ts";
import { decodeLuks1 } from "../decode.ts";
import { materialSectors } from "../geometry.ts";
import { judgeLuks1 } from "../judge/header.ts";
import { header as headerStruct, HEADER_BYTES, LUKS_MAGIC } from "../structures.ts";

/** Maximum end of key material in bytes; it normally needs 2 MiB. */
const AREA_MAX = 2 ** 26;

/**
 * Locates the header and key material of a volume or of a detached header.
 *
 * @returns the location, or the reason why it cannot be written to, as the end of a sentence;
 * `undefined` if the file does not start with LUKS
 */
export function keyAreaOf(source: ByteSource): KeyArea | string | undefined {
  const { magic, version } = decode(headerStruct, source.read(0, headerStruct.size));
  if (!startsWith(magic, LUKS_MAGIC)) return undefined;
  if (version !== 1) {
    return `it is LUKS of version ${version}, and only key slots of version 1 can be changed`;
  }
  const detached = decodeLuks1(source).payload_offset === 0;
  return keyAreaIn(source, { offset: 0, length: source.size }, detached ? "detached" : "alone");
}

/**
 * The same for a header inside a region of a file.
 *
 * @returns the location, or the reason why it cannot be written to, as the end of a sentence
 */
export function keyAreaIn(
  source: ByteSource,
  { offset, length }: KeyArea,
  kind: "alone" | "detached" | "inside",
): KeyArea | string {
  const header = decodeLuks1(new MemorySource(source.read(offset, HEADER_BYTES)));
  const broken: string[] = [];
  judgeLuks1(header, (rule, _, message) => {
    // Only keys matter here, and cryptsetup supports ciphers that QEMU does not.
    const about = rule.startsWith("luks.header.") || rule.startsWith("luks.slot.");
    if (about && ruleOf(rule).effect === "refused-at-open") broken.push(message());
  }, { kind, headerBytes: length });
  if (broken[0] !== undefined) return `its header is invalid: ${broken[0]}`;
  const last = Math.max(...header.slots.map((slot) => slot.key_material_offset));
  const end = (last + materialSectors(header.key_bytes)) * SECTOR;
  if (end > AREA_MAX) {
    return `its key material ends at byte ${end}, further than any writer puts it`;
  }
  return { offset, length: Math.min(length, end) };
}
