import { BufferedSource, type ByteSource, readUpTo, roundUp } from "../bytes/mod.ts";
import { EntryTable, imageText, LazyList } from "../format/mod.ts";
import { bitMask, decode, type Decoded } from "../layout/mod.ts";
import { extensionData, extensionOf, type Qcow2File } from "./decode.ts";
import type { Geometry } from "./geometry.ts";
import { bitmapHead, bitmapsExtension, entryBits, extensionTypes, features } from "./structures.ts";

/** An entry of the bitmap directory. */
export interface Bitmap extends Decoded<typeof bitmapHead> {
  /** Byte offset of the entry in the file. */
  readonly offset: number;
  /** Length of the entry, including padding. */
  readonly length: number;
  /** The whole entry is inside the directory. */
  readonly fits: boolean;
  readonly name: Uint8Array;
  readonly padding: Uint8Array;
}

/** The bitmap directory. */
export interface BitmapDirectory {
  readonly fields: Decoded<typeof bitmapsExtension>;
  readonly bitmaps: LazyList<Bitmap>;
}

/** Flags of a bitmap. */
export const bitmapFlags = {
  inUse: Number(bitMask(bitmapHead, "flags", "in_use").mask),
  auto: Number(bitMask(bitmapHead, "flags", "auto").mask),
  extraDataCompatible: Number(bitMask(bitmapHead, "flags", "extra_data_compatible").mask),
} as const;

/** Entries of the directory start at multiples of this from its start, in bytes. */
export const BITMAP_ALIGNMENT = 8;

/** The bitmaps extension if it is in use: present, of the correct length and marked as consistent. */
export function bitmapsFields(file: Qcow2File): Decoded<typeof bitmapsExtension> | undefined {
  const extension = extensionOf(file, extensionTypes.bitmaps);
  if (extension === undefined || extension.length !== bitmapsExtension.size) return undefined;
  if ((file.header.autoclear_features & features.bitmaps) === 0n) return undefined;
  return decode(bitmapsExtension, extensionData(file, extension));
}

/**
 * Decodes at most `max` entries of the directory. Total: bytes past the end of the file read as zeros,
 * and an all-zero entry is 24 bytes long, so the walk ends at the end of the directory.
 */
export function decodeBitmaps(
  file: Qcow2File,
  fields: Decoded<typeof bitmapsExtension>,
  max: number,
): BitmapDirectory {
  const start = Number(fields.bitmap_directory_offset);
  const size = Number(fields.bitmap_directory_size);
  const buffered = new BufferedSource(file.source);
  const starts: number[] = [];
  // Relative to the start of the directory, whose offset may be too large for exact arithmetic.
  for (let at = 0; at < size && starts.length < max;) {
    const bitmap = decodeBitmap(buffered, start + at, size - at);
    starts.push(at);
    if (!bitmap.fits) break;
    at += bitmap.length;
  }
  const decoded = (index: number) => {
    const at = starts[index] ?? 0;
    return decodeBitmap(buffered, start + at, size - at);
  };
  return { fields, bitmaps: new LazyList(starts.length, decoded) };
}

/** @param left bytes from the start of the entry to the end of the directory */
function decodeBitmap(source: ByteSource, offset: number, left: number): Bitmap {
  const head = decode(bitmapHead, readUpTo(source, offset, bitmapHead.size));
  const nameAt = bitmapHead.size + head.extra_data_size;
  const nameEnd = nameAt + head.name_size;
  const length = roundUp(nameEnd, BITMAP_ALIGNMENT);
  return {
    ...head,
    offset,
    length,
    fits: bitmapHead.size <= left && length <= left,
    name: readUpTo(source, offset + nameAt, head.name_size),
    padding: readUpTo(source, offset + nameEnd, length - nameEnd),
  };
}

/** A bitmap in qemu-img's shape. */
export function bitmapInfo(
  bitmap: Bitmap,
): { name: string; granularity: number; flags: string[] } {
  const flags = [];
  if ((bitmap.flags & bitmapFlags.inUse) !== 0) flags.push("in-use");
  if ((bitmap.flags & bitmapFlags.auto) !== 0) flags.push("auto");
  return { name: imageText(bitmap.name), granularity: 2 ** bitmap.granularity_bits, flags };
}

/** Number of table entries that a bitmap needs. `size` is the virtual size in bytes. */
export function bitmapTableNeeded(
  bitmap: { granularity_bits: number },
  image: { size: number; geometry: Geometry },
): number {
  const bits = Math.ceil(image.size / 2 ** bitmap.granularity_bits);
  return Math.ceil(Math.ceil(bits / 8) / image.geometry.clusterSize);
}

/** The table of a bitmap. */
export function bitmapTable(file: Qcow2File, bitmap: Bitmap): EntryTable {
  return new EntryTable(file.source, Number(bitmap.bitmap_table_offset), bitmap.bitmap_table_size);
}

/**
 * The bits of a bitmap as ranges of guest bytes, in order.
 *
 * @param image.size virtual size in bytes
 */
export function bitmapRanges(
  file: Qcow2File,
  bitmap: Bitmap,
  image: { size: number; geometry: Geometry },
): Generator<{ start: number; length: number }> {
  const granularity = 2 ** bitmap.granularity_bits;
  const { clusterSize } = image.geometry;
  const table = bitmapTable(file, bitmap);
  const runs = (index: number) => clusterBits(file, { table, index, clusterSize });
  return bitRanges({ clusters: table.stored, runs }, { granularity, size: image.size });
}

/** Runs of equal bits: their length, and whether they are set. */
export type BitRuns = Iterable<readonly [number, boolean]>;

/**
 * The bits of clusters as ranges of guest bytes, in order.
 *
 * @param disk.granularity guest bytes of one bit
 */
export function* bitRanges(
  { clusters, runs }: { readonly clusters: number; runs(cluster: number): BitRuns },
  { granularity, size }: { readonly granularity: number; readonly size: number },
): Generator<{ start: number; length: number }> {
  let start = -1;
  let position = 0;
  for (let i = 0; i < clusters && position < size; i++) {
    for (const [bits, set] of runs(i)) {
      if (set && start < 0) start = position;
      if (!set && start >= 0) {
        yield { start, length: position - start };
        start = -1;
      }
      position = Math.min(position + bits * granularity, size);
    }
  }
  if (start >= 0 && position > start) yield { start, length: position - start };
}

/** Runs of equal bits in one cluster of a bitmap: their length, and whether they are set. */
function* clusterBits(
  { source }: Qcow2File,
  place: { table: EntryTable; index: number; clusterSize: number },
): Generator<[number, boolean]> {
  const entry = place.table.value(place.index);
  const offset = entry & entryBits.bitmapOffset.mask;
  if (offset === 0n) {
    yield [place.clusterSize * 8, (entry & entryBits.bitmapAllOnes.mask) !== 0n];
    return;
  }
  yield* bitRuns(source.read(Number(offset), place.clusterSize));
}

/** The bits of bytes; the first bit of a byte is its lowest. */
export function* bitRuns(bytes: Uint8Array): Generator<[number, boolean]> {
  for (let at = 0; at < bytes.length;) {
    const start = at;
    const byte = bytes[at++] as number;
    if (byte === 0x00 || byte === 0xff) {
      while (bytes[at] === byte) at++;
      yield [8 * (at - start), byte !== 0];
    } else for (let bit = 0; bit < 8; bit++) yield [1, (byte >> bit & 1) === 1];
  }
}
