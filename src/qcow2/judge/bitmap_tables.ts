import type { Place } from "../../rules/mod.ts";
import { type Bitmap, bitmapFlags, bitmapTable, bitmapTableNeeded } from "../bitmaps.ts";
import type { Qcow2File } from "../decode.ts";
import type { Geometry } from "../geometry.ts";
import { type Findings, hex, must, requestable } from "../findings.ts";
import type { EntryTable } from "../table.ts";
import { bitmapHead, bitmapTableEntry, entryBits } from "../structures.ts";

/** Longest bitmap that QEMU takes, in bytes. */
export const MAX_BITMAP_BYTES = 512 * 2 ** 20;

/** What the judgement of bitmaps needs to know of the image. */
export interface BitmapImage {
  readonly geometry: Geometry;
  /** Virtual size in bytes, rounded down to 512. */
  readonly size: number;
}

/** A bitmap and its place in the directory. */
export interface BitmapAt {
  readonly bitmap: Bitmap;
  readonly index: number;
}

/** A field of a directory entry as a place. */
export function bitmapField(
  { bitmap, index }: BitmapAt,
  name: keyof typeof bitmapHead.offsets,
): Place {
  return { path: `/bitmap[${index}]/${name}`, offset: bitmap.offset + bitmapHead.offsets[name] };
}

/** Judges the table and the data of a bitmap, as far as an open reads them (load_bitmap). */
export function judgeBitmapTable(
  file: Qcow2File,
  place: BitmapAt & { image: BitmapImage },
  findings: Findings,
): void {
  const { bitmap, index, image } = place;
  if ((bitmap.flags & bitmapFlags.inUse) !== 0) return;
  const entries = bitmap.bitmap_table_size;
  if (entries === 0 || entries * image.geometry.clusterSize > MAX_BITMAP_BYTES) return;
  if (!requestable(bitmap.bitmap_table_offset, BigInt(entries * bitmapTableEntry.size))) {
    findings.add(
      "qcow2.bitmap.table-readable",
      bitmapField(place, "bitmap_table_offset"),
      `The table of bitmap ${index} lies at ${hex(bitmap.bitmap_table_offset)}`,
    );
    return;
  }
  const table = bitmapTable(file, bitmap);
  for (let i = table.nextNonZero(0); i < table.length; i = table.nextNonZero(i + 1)) {
    judgeTableEntry({ table, index, entry: i, clusterSize: image.geometry.clusterSize }, findings);
  }
  const needed = bitmapTableNeeded(bitmap, image);
  must(entries === needed, findings, {
    rule: "qcow2.bitmap.table-size-exact",
    place: bitmapField(place, "bitmap_table_size"),
    message: () => `The table of bitmap ${index} has ${entries} entries; the disk needs ${needed}`,
  });
  judgeTail(file, { ...place, table, needed }, findings);
}

/** Whether an entry of a bitmap table is sound; adds what is wrong with it. */
function judgeTableEntry(
  at: { table: EntryTable; index: number; entry: number; clusterSize: number },
  findings: Findings,
): void {
  const value = at.table.entry(at.entry);
  const offset = value & entryBits.bitmapOffset.mask;
  const place = {
    path: `/bitmap[${at.index}]/table/${at.entry}`,
    offset: at.table.offsetOf(at.entry),
  };
  must((value & entryBits.bitmapReserved.mask) === 0n, findings, {
    rule: "qcow2.bitmap.table-entry-reserved",
    place,
    message: () => `The bitmap table entry ${hex(value)} has reserved bits set`,
  });
  must(offset === 0n || (value & entryBits.bitmapAllOnes.mask) === 0n, findings, {
    rule: "qcow2.bitmap.table-entry-bit0",
    place,
    message: () => `The bitmap table entry ${hex(value)} has an offset and bit 0 set`,
  });
  must(offset % BigInt(at.clusterSize) === 0n, findings, {
    rule: "qcow2.bitmap.table-entry-aligned",
    place,
    message: () => `The bitmap table entry ${hex(value)} leads off a cluster boundary`,
  });
}

/** The bits behind the end of the disk, in the last cluster of the bitmap. */
function judgeTail(
  file: Qcow2File,
  at: BitmapAt & { image: BitmapImage; table: EntryTable; needed: number },
  findings: Findings,
): void {
  const { bitmap, image, table, needed } = at;
  if (needed === 0 || table.length !== needed) return;
  const offset = table.entry(needed - 1) & entryBits.bitmapOffset.mask;
  if (offset === 0n) return;
  const { clusterSize } = image.geometry;
  const bits = Math.ceil(image.size / 2 ** bitmap.granularity_bits) -
    (needed - 1) * clusterSize * 8;
  const firstByte = Math.floor(bits / 8);
  const stored = file.source.read(Number(offset) + firstByte, clusterSize - firstByte);
  const tail = stored.some((byte, i) => (i === 0 ? byte >> bits % 8 : byte) !== 0);
  must(!tail, findings, {
    rule: "qcow2.bitmap.tail-zero",
    place: { path: `/bitmap[${at.index}]/data[${needed - 1}]`, offset },
    message: () => `Bitmap ${at.index} has bits set behind the end of the disk`,
  });
}
