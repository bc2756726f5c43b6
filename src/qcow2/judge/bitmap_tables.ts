import { isZero } from "../../bytes/mod.ts";
import type { EntryTable } from "../../format/mod.ts";
import { judgeOf, type Sink } from "../../layout/mod.ts";
import type { Place } from "../../rules/mod.ts";
import { type Bitmap, bitmapFlags, bitmapTable, bitmapTableNeeded } from "../bitmaps.ts";
import type { Qcow2File } from "../decode.ts";
import type { Geometry } from "../geometry.ts";
import { type Findings, type FoundRule, must } from "../findings.ts";
import { anyBit, masked } from "../entry_bits.ts";
import { bitmapHead, bitmapTableEntry, entryBits, limits } from "../structures.ts";

const ENTRY_RULES = [
  "qcow2.bitmap.table-entry-reserved",
  "qcow2.bitmap.table-entry-bit0",
  "qcow2.bitmap.table-entry-aligned",
] as const;

/** Properties of the image that are needed to judge bitmaps. */
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

/** The place of a field of a directory entry. */
export function bitmapField(
  { bitmap, index }: BitmapAt,
  name: keyof typeof bitmapHead.offsets,
): Place {
  return { path: `/bitmap[${index}]/${name}`, offset: bitmap.offset + bitmapHead.offsets[name] };
}

/** Judges a directory entry by the constraints in its description that name the given rules. */
export function bitmapJudge(
  at: BitmapAt,
  { geometry }: BitmapImage,
  findings: Findings,
): (...rules: FoundRule[]) => boolean {
  return judgeOf(bitmapHead, at.bitmap, {
    context: {
      "cluster size": geometry.clusterSize,
      "bitmap table": at.bitmap.bitmap_table_size * bitmapTableEntry.size,
    },
    of: `bitmap ${at.index}`,
    place: (field) => bitmapField(at, field),
    findings,
  });
}

/** Judges the parts of a bitmap's table and data that an open reads (load_bitmap). */
export function judgeBitmapTable(
  file: Qcow2File,
  place: BitmapAt & { image: BitmapImage },
  findings: Findings,
): void {
  const { bitmap, index, image } = place;
  if ((bitmap.flags & bitmapFlags.inUse) !== 0) return;
  const entries = bitmap.bitmap_table_size;
  if (entries === 0 || entries * image.geometry.clusterSize > limits.bitmap) return;
  if (!bitmapJudge(place, image, findings)("qcow2.bitmap.table-readable")) return;
  const table = bitmapTable(file, bitmap);
  const { clusterSize } = image.geometry;
  const at = { table, path: `/bitmap[${index}]/table`, clusterSize };
  for (let i = table.nextNonZero(0); i < table.length; i = table.nextNonZero(i + 1)) {
    judgeTableEntry(at, i, { rules: ENTRY_RULES, findings });
  }
  const needed = bitmapTableNeeded(bitmap, image);
  must(entries === needed, findings, {
    rule: "qcow2.bitmap.table-size-exact",
    place: bitmapField(place, "bitmap_table_size"),
    message: () => `The table of bitmap ${index} has ${entries} entries; the disk needs ${needed}`,
  });
  judgeTail(file, { ...place, table, needed }, findings);
}

/** A table of a bitmap, and its path. */
interface TableAt {
  readonly table: EntryTable;
  readonly path: string;
  readonly clusterSize: number;
}

/**
 * Whether an entry of a bitmap table is valid. Adds findings for its constraints that name one of the
 * rules.
 */
export function judgeTableEntry<Rule extends string>(
  { table, path, clusterSize }: TableAt,
  entry: number,
  { rules, findings }: {
    rules: readonly Rule[];
    findings: Sink<Rule, { path: string; offset: number }>;
  },
): boolean {
  const high = table.high(entry);
  const low = table.low(entry);
  const offset = masked(high, low, entryBits.bitmapOffset);
  // Tables are long, and most entries are valid.
  const sound = !anyBit(high, low, entryBits.bitmapReserved) && offset % clusterSize === 0 &&
    (offset === 0 || !anyBit(high, low, entryBits.bitmapAllOnes));
  return sound || judgeOf(bitmapTableEntry, { bitmap_table_entry: table.value(entry) }, {
    context: { "cluster size": clusterSize, "with an offset": offset !== 0 },
    place: () => ({ path: `${path}/${entry}`, offset: table.offsetOf(entry) }),
    findings,
  })(...rules);
}

/** The bits past the end of the disk, in the last cluster of the bitmap. */
function judgeTail(
  file: Qcow2File,
  at: BitmapAt & { image: BitmapImage; table: EntryTable; needed: number },
  findings: Findings,
): void {
  const { bitmap, image, table, needed } = at;
  if (needed === 0 || table.length !== needed) return;
  const offset = table.value(needed - 1) & entryBits.bitmapOffset.mask;
  if (offset === 0n) return;
  const { clusterSize } = image.geometry;
  const bits = Math.ceil(image.size / 2 ** bitmap.granularity_bits) -
    (needed - 1) * clusterSize * 8;
  const firstByte = Math.floor(bits / 8);
  const stored = file.source.read(Number(offset) + firstByte, clusterSize - firstByte);
  const tail = (stored[0] ?? 0) >> bits % 8 !== 0 || !isZero(stored.subarray(1));
  must(!tail, findings, {
    rule: "qcow2.bitmap.tail-zero",
    place: { path: `/bitmap[${at.index}]/data[${needed - 1}]`, offset },
    message: () => `Bitmap ${at.index} has bits set past the end of the disk`,
  });
}
