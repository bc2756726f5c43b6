import { type ByteSource, readUpTo } from "../bytes/mod.ts";
import { canonicalHash, hash } from "../crypto/mod.ts";
import { imageText } from "../format/mod.ts";
import { decode, type Decoded, offsetOf } from "../layout/mod.ts";
import { BINARY_BYTES, HEADER_SIZE_MAX, HEADER_SIZES } from "./geometry.ts";
import type { JsonParsed } from "./json/value.ts";
import { parseJson } from "./json/parser.ts";
import {
  CHECKSUM_BYTES,
  header as headerStruct,
  PRIMARY_MAGIC,
  SECONDARY_MAGIC,
} from "./structures.ts";

/** Which of the two copies of a header. */
export type CopyName = "primary" | "secondary";

/** A binary header as decoded, not judged. */
export type Luks2Header = Decoded<typeof headerStruct>;

/** One copy of a header: the binary one, and the JSON area behind it. */
export interface HeaderCopy {
  readonly name: CopyName;
  /** Where it lies, in bytes. */
  readonly offset: number;
  readonly header: Luks2Header;
  /** It has its magic and version, its place and a size that cryptsetup reads. */
  readonly recognised: boolean;
  /** What is in the file of the JSON area of a copy that is recognised. */
  readonly area: Uint8Array;
  /** All of the copy is in the file. */
  readonly complete: boolean;
  /** Whether the checksum is right: `undefined` where its hash is not known. */
  readonly intact: boolean | undefined;
  /** The JSON area, of a copy that is intact. */
  readonly json?: JsonParsed;
}

/** Both copies of a header. */
export interface Luks2Copies {
  readonly primary: HeaderCopy;
  readonly secondary: HeaderCopy;
}

/**
 * Decodes both copies of a header, whatever they hold. What a file lacks reads as zeros.
 *
 * The secondary one lies behind the primary one; where that is damaged, at the first of the places of
 * Table 1 where there is one that is intact, and else at the first place of all.
 *
 * @param source starts with the header
 * @see LUKS2 On-Disk Format 1.1.1, 4.5 Metadata Recovery
 */
export function decodeLuks2(source: ByteSource): Luks2Copies {
  const primary = decodeCopy(source, "primary", 0);
  if (isReadable(primary)) {
    return { primary, secondary: decodeCopy(source, "secondary", sizeOf(primary)) };
  }
  for (const offset of HEADER_SIZES) {
    const secondary = decodeCopy(source, "secondary", offset);
    if (isReadable(secondary)) return { primary, secondary };
  }
  const offset = HEADER_SIZES.find((place) => hasMagic(source, place)) ?? sizeOf(primary);
  return { primary, secondary: decodeCopy(source, "secondary", offset) };
}

/** Whether a copy is there, with a checksum that is right: what it says is what was written. */
export function isReadable(copy: HeaderCopy): boolean {
  return copy.recognised && copy.complete && copy.intact === true;
}

/** Whether one of the copies of a file tells that the file is a volume of LUKS version 2. */
export function detectLuks2(source: ByteSource): boolean {
  const primary = decode(headerStruct, readUpTo(source, 0, BINARY_BYTES));
  // Version 0 is damage to cryptsetup, which then looks for the other copy.
  if (isMagic(primary.magic, PRIMARY_MAGIC) && primary.version !== 0) return primary.version === 2;
  return isReadable(decodeLuks2(source).secondary);
}

/** The length of a copy as it says itself, where it can be true, and else the smallest there is. */
function sizeOf({ header }: HeaderCopy): number {
  return hasSoundSize(header) ? Number(header.hdr_size) : HEADER_SIZES[0] as number;
}

function hasSoundSize({ hdr_size }: Luks2Header): boolean {
  return hdr_size >= BigInt(HEADER_SIZES[0] as number) && hdr_size <= BigInt(HEADER_SIZE_MAX);
}

function hasMagic(source: ByteSource, offset: number): boolean {
  return isMagic(source.read(offset, SECONDARY_MAGIC.length), SECONDARY_MAGIC);
}

/** Whether a magic is the one of a copy. */
export function isMagic(stored: Uint8Array, magic: Uint8Array): boolean {
  return magic.every((byte, at) => byte === stored[at]);
}

function decodeCopy(source: ByteSource, name: CopyName, offset: number): HeaderCopy {
  const binary = readUpTo(source, offset, BINARY_BYTES);
  const header = decode(headerStruct, binary);
  const magic = name === "primary" ? PRIMARY_MAGIC : SECONDARY_MAGIC;
  const recognised = isMagic(header.magic, magic) && header.version === 2 &&
    header.hdr_offset === BigInt(offset) && hasSoundSize(header) &&
    (name === "primary" || header.hdr_size === header.hdr_offset);
  if (!recognised) {
    const complete = binary.length === BINARY_BYTES;
    const area = new Uint8Array(0);
    return { name, offset, header, recognised, area, complete, intact: undefined };
  }
  const size = Number(header.hdr_size);
  const area = readUpTo(source, offset + BINARY_BYTES, size - BINARY_BYTES);
  const complete = offset + size <= source.size;
  const intact = complete ? isIntact(header, binary, area) : undefined;
  const json = intact === true ? { json: parseJson(area) } : {};
  return { name, offset, header, recognised, area, complete, intact, ...json };
}

function isIntact(
  header: Luks2Header,
  binary: Uint8Array,
  area: Uint8Array,
): boolean | undefined {
  const expected = checksumOf(header, binary, area);
  return expected?.every((byte, at) => byte === header.csum[at]);
}

/**
 * The checksum of a copy; `undefined` where its hash is not known.
 *
 * @param binary the binary header as it is stored, with any checksum in it
 */
export function checksumOf(
  header: Pick<Luks2Header, "csum_alg">,
  binary: Uint8Array,
  area: Uint8Array,
): Uint8Array | undefined {
  const name = imageText(header.csum_alg);
  if (canonicalHash(name) === undefined) return undefined;
  const blanked = binary.slice();
  const at = offsetOf(headerStruct, "csum");
  blanked.fill(0, at, at + CHECKSUM_BYTES);
  return hash(name, blanked, area);
}
