import { type ByteSource, readUpTo, startsWith } from "../bytes/mod.ts";
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

/** One copy of a header: the binary header, and the JSON area after it. */
export interface HeaderCopy {
  readonly name: CopyName;
  /** Where it starts, in bytes. */
  readonly offset: number;
  readonly header: Luks2Header;
  /** It has its magic and version, its offset, and a size that cryptsetup accepts. */
  readonly recognised: boolean;
  /** The part of the JSON area that is in the file, if the copy is recognised. */
  readonly area: Uint8Array;
  /** All of the copy is in the file. */
  readonly complete: boolean;
  /** Whether the checksum matches; `undefined` if its hash is not known. */
  readonly intact: boolean | undefined;
  /** The parsed JSON of a copy that is intact. */
  readonly json?: JsonParsed;
}

/** Both copies of a header. */
export interface Luks2Copies {
  readonly primary: HeaderCopy;
  readonly secondary: HeaderCopy;
}

/**
 * Decodes both copies of a header. Total. Bytes past the end of the file are zeros.
 *
 * The secondary copy follows the primary one. Where that is damaged, the secondary copy is the first
 * intact one at an offset of Table 1, and otherwise the first one with its magic.
 *
 * @param source starts with the header
 * @see LUKS2 On-Disk Format 1.1.1, 4.5 Metadata Recovery
 */
export function decodeLuks2(source: ByteSource): Luks2Copies {
  const primary = decodeCopy(source, "primary", 0);
  if (isReadable(primary)) {
    return { primary, secondary: decodeCopy(source, "secondary", sizeOf(primary), primary) };
  }
  for (const offset of HEADER_SIZES) {
    const secondary = decodeCopy(source, "secondary", offset);
    if (isReadable(secondary)) return { primary, secondary };
  }
  const offset = HEADER_SIZES.find((place) => hasMagic(source, place)) ?? sizeOf(primary);
  return { primary, secondary: decodeCopy(source, "secondary", offset) };
}

/** Whether a copy is complete, with a checksum that matches. */
export function isReadable(copy: HeaderCopy): boolean {
  return copy.recognised && copy.complete && copy.intact === true;
}

/** Whether a file is a volume of LUKS version 2, by one of the copies of its header. */
export function detectLuks2(source: ByteSource): boolean {
  const primary = decode(headerStruct, readUpTo(source, 0, BINARY_BYTES));
  // cryptsetup treats version 0 as damage and looks for the other copy.
  if (startsWith(primary.magic, PRIMARY_MAGIC) && primary.version !== 0) {
    return primary.version === 2;
  }
  return isReadable(decodeLuks2(source).secondary);
}

/** The stored length of a copy if it is valid, and otherwise the smallest length. */
function sizeOf({ header }: HeaderCopy): number {
  return hasSoundSize(header) ? Number(header.hdr_size) : HEADER_SIZES[0] as number;
}

function hasSoundSize({ hdr_size }: Luks2Header): boolean {
  return hdr_size >= BigInt(HEADER_SIZES[0] as number) && hdr_size <= BigInt(HEADER_SIZE_MAX);
}

function hasMagic(source: ByteSource, offset: number): boolean {
  return startsWith(source.read(offset, SECONDARY_MAGIC.length), SECONDARY_MAGIC);
}

/** @param other the other copy: most often, the two have the same JSON, which is parsed once */
function decodeCopy(
  source: ByteSource,
  name: CopyName,
  offset: number,
  other?: HeaderCopy,
): HeaderCopy {
  const binary = readUpTo(source, offset, BINARY_BYTES);
  const header = decode(headerStruct, binary);
  const magic = name === "primary" ? PRIMARY_MAGIC : SECONDARY_MAGIC;
  const recognised = startsWith(header.magic, magic) && header.version === 2 &&
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
  const checksum = complete ? checksumOf(header, binary, area) : undefined;
  const intact = checksum && startsWith(header.csum, checksum);
  const copy = { name, offset, header, recognised, area, complete, intact };
  return intact === true ? { ...copy, json: parsedLike(other, area) } : copy;
}

/** The parsed JSON of an area, or that of the other copy if it has the same text. */
function parsedLike(other: HeaderCopy | undefined, area: Uint8Array): JsonParsed {
  const end = other?.json?.end;
  if (end === undefined || other?.json === undefined) return parseJson(area);
  const isSame = other.area.length === area.length &&
    startsWith(area, other.area.subarray(0, end + 1));
  return isSame ? other.json : parseJson(area);
}

/**
 * The checksum of a copy; `undefined` if its hash is not known.
 *
 * @param binary the stored binary header, with any checksum
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
