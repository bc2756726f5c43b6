import { isZero } from "../../bytes/mod.ts";
import type { EntryTable } from "../../format/mod.ts";
import { encode } from "../../layout/mod.ts";
import {
  type Bitmap,
  bitmapFlags,
  bitmapTable,
  bitmapTableNeeded,
  bitRanges,
  bitRuns,
} from "../bitmaps.ts";
import { offsetWords, writeWords } from "../encode/entries.ts";
import { masked } from "../entry_bits.ts";
import { bitmapHead, bitmapTableEntry, entryBits } from "../structures.ts";
import { type Clusters, clustersAt } from "../write/host.ts";
import type { WritableImage } from "../write/image.ts";
import { storeTable } from "../write/tables.ts";

const BITS = 8;

/** The bits of a bitmap, with changes that are not stored yet. */
export class BitmapBits {
  /** The entry of the directory. */
  readonly bitmap: Bitmap;
  readonly #image: WritableImage;
  /** The table as it is stored, which stays until the bits are saved. */
  readonly #table: EntryTable;
  /** Guest bytes of one bit. */
  readonly #granularity: number;
  /** Clusters of bits that were changed, by index of the table. */
  readonly #changed = new Map<number, Uint8Array>();
  /** Clusters of the table that are still valid. */
  #kept: number;
  #size: number;

  constructor(image: WritableImage, bitmap: Bitmap) {
    this.#image = image;
    this.bitmap = bitmap;
    this.#table = bitmapTable(image.file, bitmap);
    this.#granularity = 2 ** bitmap.granularity_bits;
    this.#kept = bitmap.bitmap_table_size;
    this.#size = image.virtualSize;
  }

  /** Sets the bits of a guest range. */
  set(start: number, length: number): void {
    if (length > 0) {
      const end = Math.min(this.#size, start + length);
      this.#fill(Math.floor(start / this.#granularity), Math.ceil(end / this.#granularity), true);
    }
  }

  /** Clears all bits. */
  clear(): void {
    this.#changed.clear();
    this.#kept = 0;
  }

  /** Follows the disk to another size. Bits after the end, old or new, are cleared. */
  resize(size: number): void {
    const { geometry } = this.#image;
    const table = bitmapTableNeeded(this.bitmap, { size, geometry });
    const end = Math.ceil(Math.min(size, this.#size) / this.#granularity);
    const pageBits = geometry.clusterSize * BITS;
    this.#kept = Math.min(this.#kept, table);
    for (const index of this.#changed.keys()) if (index >= table) this.#changed.delete(index);
    this.#fill(end, Math.min(table, Math.ceil(end / pageBits)) * pageBits, false);
    this.#kept = Math.min(this.#kept, Math.ceil(end / pageBits));
    this.#size = size;
  }

  #fill(from: number, to: number, on: boolean): void {
    const pageBits = this.#image.geometry.clusterSize * BITS;
    for (let at = from; at < to;) {
      const index = Math.floor(at / pageBits);
      const end = Math.min(to, (index + 1) * pageBits);
      fillBits(this.#page(index), [at - index * pageBits, end - index * pageBits], on);
      at = end;
    }
  }

  /** The set bits as ranges of guest bytes, in order. */
  ranges(): Iterable<{ readonly start: number; readonly length: number }> {
    const { geometry } = this.#image;
    const clusters = bitmapTableNeeded(this.bitmap, { size: this.#size, geometry });
    const runs = (index: number) => bitRuns(this.#changed.get(index) ?? this.#stored(index));
    return bitRanges({ clusters, runs }, { granularity: this.#granularity, size: this.#size });
  }

  /** A cluster of bits, for changing it. */
  #page(index: number): Uint8Array {
    const page = this.#changed.get(index) ?? this.#stored(index);
    this.#changed.set(index, page);
    return page;
  }

  /** A copy of a cluster of bits as it is stored. */
  #stored(index: number): Uint8Array {
    const { store, geometry: { clusterSize } } = this.#image;
    const page = new Uint8Array(clusterSize);
    if (index >= this.#kept) return page;
    const { high, low } = this.#table.entry(index);
    const offset = masked(high, low, entryBits.bitmapOffset);
    if (offset !== 0) store.readInto(offset, page);
    else if ((low & entryBits.bitmapAllOnes.low) !== 0) page.fill(0xff);
    // An entry for all ones sets bits after the end of the disk, too.
    const end = Math.ceil(this.#size / this.#granularity) - index * clusterSize * BITS;
    if (end < clusterSize * BITS) fillBits(page, [Math.max(0, end), clusterSize * BITS], false);
    return page;
  }

  /** Writes the bits to new clusters. One write makes the directory entry refer to them. */
  save(flags: number): void {
    const image = this.#image;
    const { store, geometry: { clusterSize }, geometry } = image;
    const { bitmap } = this;
    const old = this.#table;
    const count = bitmapTableNeeded(bitmap, { size: this.#size, geometry });
    const table = new Uint8Array(count * bitmapTableEntry.size);
    const released: number[] = [];
    for (let i = 0; i < Math.max(count, old.length); i++) {
      const page = this.#changed.get(i);
      const { high, low } = old.entry(i);
      const isKept = i < this.#kept && page === undefined;
      if (isKept) writeWords(table, i * bitmapTableEntry.size, [high, low]);
      else if (masked(high, low, entryBits.bitmapOffset) !== 0) {
        released.push(masked(high, low, entryBits.bitmapOffset));
      }
      if (page === undefined || isZero(page)) continue;
      const at = image.allocate(1) * clusterSize;
      store.write(at, page);
      writeWords(table, i * bitmapTableEntry.size, offsetWords(at));
    }
    const place = storeTable(image, table);
    image.barrier();
    const head = encode(bitmapHead, {
      ...bitmap,
      bitmap_table_offset: BigInt(place),
      bitmap_table_size: count,
      flags,
    });
    store.write(bitmap.offset, head.subarray(0, bitmapHead.offsets.type));
    for (const offset of released) image.free({ first: offset / clusterSize, count: 1 });
    image.free(tableClusters(image, bitmap));
    image.reopen();
  }
}

/** The clusters of the table of a bitmap. */
export function tableClusters(
  { geometry }: WritableImage,
  { bitmap_table_offset, bitmap_table_size }: Bitmap,
): Clusters {
  return clustersAt(
    geometry,
    Number(bitmap_table_offset),
    bitmap_table_size * bitmapTableEntry.size,
  );
}

/** Writes the flags of a bitmap. */
export function writeFlags({ store }: WritableImage, bitmap: Bitmap, flags: number): void {
  const bytes = encode(bitmapHead, { ...bitmap, flags });
  const { flags: at, type } = bitmapHead.offsets;
  store.write(bitmap.offset + at, bytes.subarray(at, type));
}

/** Whether a bitmap was not saved, so that its bits mean nothing. */
export function isInUse({ flags }: Bitmap): boolean {
  return (flags & bitmapFlags.inUse) !== 0;
}

/** Sets or clears bits. The first bit of a byte is its lowest. */
function fillBits(page: Uint8Array, [from, to]: readonly [number, number], on: boolean): void {
  const first = Math.ceil(from / BITS);
  const last = Math.floor(to / BITS);
  if (first < last) page.fill(on ? 0xff : 0, first, last);
  for (let at = from; at < to; at++) {
    if (at === first * BITS && first < last) at = last * BITS;
    if (at >= to) return;
    const mask = 1 << at % BITS;
    const byte = Math.floor(at / BITS);
    page[byte] = on ? (page[byte] as number) | mask : (page[byte] as number) & ~mask;
  }
}
