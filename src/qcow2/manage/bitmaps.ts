import { concat, utf8 } from "../../bytes/mod.ts";
import { type BitmapEditor, EditError, imageText } from "../../format/mod.ts";
import { encode } from "../../layout/mod.ts";
import {
  type Bitmap,
  BITMAP_ALIGNMENT,
  bitmapFlags,
  bitmapTable,
  bitmapTableNeeded,
} from "../bitmaps.ts";
import { bitmapsData } from "../encode/extensions.ts";
import { padded } from "../encode/padded.ts";
import type { TrackedBitmaps } from "../layer.ts";
import {
  bitmapHead,
  bitmapTableEntry,
  bitmapTypes,
  entryBits,
  extensionTypes,
  features,
  limits,
} from "../structures.ts";
import { clustersAt } from "../write/host.ts";
import type { WritableImage } from "../write/image.ts";
import { storeTable } from "../write/tables.ts";
import { offsetsIn } from "../write/walk.ts";
import { BitmapBits, isInUse, tableClusters, writeFlags } from "./bitmap_bits.ts";
import { storedExtensions, withExtension, writeFirstCluster } from "./first_cluster.ts";

/** Largest default granularity in bytes, and smallest. */
const GRANULARITY = { min: 2 ** 12, max: 2 ** 16 } as const;

function isEnabled({ flags }: Bitmap): boolean {
  return (flags & bitmapFlags.auto) !== 0;
}

type Ranges = Iterable<{ readonly start: number; readonly length: number }>;

/**
 * Changes the persistent bitmaps of an image.
 *
 * Before the first write, the enabled bitmaps are marked as in use: after a crash, their bits mean
 * nothing. Their new bits are in memory until {@link save}.
 */
export class Qcow2Bitmaps implements BitmapEditor {
  readonly #image: WritableImage;
  /** The bitmaps that are marked as in use here; `undefined` before the first write. */
  #tracked: BitmapBits[] | undefined;

  constructor(image: WritableImage) {
    this.#image = image;
  }

  /** Sets the bits of a range that is written next in the enabled bitmaps. */
  mark(start: number, length: number): void {
    this.#tracked ??= this.#track(isEnabled);
    // After a change of the size that failed, the disabled ones are tracked, too.
    for (const bits of this.#tracked) if (isEnabled(bits.bitmap)) bits.set(start, length);
  }

  #track(isTracked: (bitmap: Bitmap) => boolean): BitmapBits[] {
    const tracked = this.#all().filter((bitmap) => !isInUse(bitmap) && isTracked(bitmap));
    for (const bitmap of tracked) {
      writeFlags(this.#image, bitmap, bitmap.flags | bitmapFlags.inUse);
    }
    if (tracked.length === 0) return [];
    this.#image.flush();
    this.#image.reopen();
    return tracked.map((bitmap) => new BitmapBits(this.#image, bitmap));
  }

  /** The bitmaps whose bits are in memory. */
  get tracked(): TrackedBitmaps {
    return new Map(this.#tracked?.map((bits) => [bits.bitmap.offset, bits] as const));
  }

  /** Bits may be in memory that are not stored. */
  get isTracking(): boolean {
    return this.#tracked !== undefined;
  }

  /** Stores the bits that are in memory, and marks the bitmaps as saved. */
  save(): void {
    if (this.#tracked === undefined) return;
    for (const bits of this.#tracked) bits.save(bits.bitmap.flags);
    this.#tracked = undefined;
    this.#image.barrier();
  }

  /** Runs a change of the size of the disk, which the bitmaps follow. */
  resized(size: number, change: () => void): void {
    if (size === this.#image.virtualSize || this.#all().length === 0) return change();
    this.save();
    for (const bitmap of this.#all()) mustBeSaved(bitmap);
    if (size === 0) throw new EditError("A disk of no bytes cannot have bitmaps");
    for (const bitmap of this.#all()) mustCover(this.#image, bitmap, size);
    this.#tracked = this.#track(() => true);
    change();
    for (const bits of this.#tracked) bits.resize(this.#image.virtualSize);
    this.save();
  }

  add(
    name: string,
    { granularity, enabled = true }: { readonly granularity?: number; readonly enabled?: boolean } =
      {},
  ): void {
    this.#change(() => {
      const image = this.#image;
      const { geometry } = image;
      const bytes = this.#newName(name);
      const { clusterSize } = geometry;
      const unit = granularity ?? Math.min(GRANULARITY.max, Math.max(GRANULARITY.min, clusterSize));
      const granularity_bits = granularityBits(unit);
      const size = image.virtualSize;
      const entries = bitmapTableNeeded({ granularity_bits }, { size, geometry });
      mustCover(image, { granularity_bits }, size);
      if (size === 0) throw new EditError("A disk of no bytes cannot have bitmaps");
      const table = storeTable(image, new Uint8Array(entries * bitmapTableEntry.size));
      const head = encode(bitmapHead, {
        bitmap_table_offset: BigInt(table),
        bitmap_table_size: entries,
        flags: enabled ? bitmapFlags.auto : 0,
        type: bitmapTypes.dirtyTracking,
        granularity_bits,
        name_size: bytes.length,
        extra_data_size: 0,
      });
      this.#writeDirectory([...this.#stored(), padded(concat(head, bytes), BITMAP_ALIGNMENT)]);
    });
  }

  #newName(name: string): Uint8Array {
    const bytes = utf8(name);
    const all = this.#all();
    if (this.#image.version < 3) throw new EditError("Version 2 has no bitmaps");
    if (bytes.length === 0 || bytes.length > limits.bitmapName || bytes.includes(0)) {
      throw new EditError(`The name of a bitmap has 1 to ${limits.bitmapName} bytes, without NUL`);
    }
    if (all.some((bitmap) => imageText(bitmap.name) === name)) {
      throw new EditError(`The bitmap '${name}' exists`);
    }
    if (all.length >= limits.bitmaps) {
      throw new EditError(`An image has at most ${limits.bitmaps} bitmaps`);
    }
    return bytes;
  }

  remove(name: string): void {
    this.#change(() => {
      const image = this.#image;
      const bitmap = this.#find(name);
      const index = this.#all().findIndex(({ offset }) => offset === bitmap.offset);
      const rest = this.#stored().toSpliced(index, 1);
      const { clusterSize } = image.geometry;
      const data = [...offsetsIn(bitmapTable(image.file, bitmap), entryBits.bitmapOffset)];
      this.#writeDirectory(rest);
      for (const [, offset] of data) image.free({ first: offset / clusterSize, count: 1 });
      image.free(tableClusters(image, bitmap));
    });
  }

  enable(name: string): void {
    this.#setFlag(name, (flags) => flags | bitmapFlags.auto);
  }

  disable(name: string): void {
    this.#setFlag(name, (flags) => flags & ~bitmapFlags.auto);
  }

  #setFlag(name: string, change: (flags: number) => number): void {
    this.#change(() => {
      const bitmap = this.#usable(name);
      writeFlags(this.#image, bitmap, change(bitmap.flags));
      this.#image.flush();
      this.#image.reopen();
    });
  }

  clear(name: string): void {
    this.#change(() => {
      const bits = new BitmapBits(this.#image, this.#usable(name));
      bits.clear();
      bits.save(bits.bitmap.flags);
    });
  }

  merge(target: string, ranges: Ranges): void {
    // They may come from the image itself, and are read before it changes.
    const all = [...ranges];
    this.#change(() => {
      const bits = new BitmapBits(this.#image, this.#usable(target));
      for (const { start, length } of all) bits.set(start, length);
      bits.save(bits.bitmap.flags);
    });
  }

  #change(body: () => void): void {
    this.#image.change(() => {
      this.save();
      body();
    });
  }

  #all(): Bitmap[] {
    return [...this.#image.opened.bitmaps?.bitmaps ?? []];
  }

  #find(name: string): Bitmap {
    const found = this.#all().find((bitmap) => imageText(bitmap.name) === name);
    if (found === undefined) throw new EditError(`There is no bitmap '${name}'`);
    return found;
  }

  #usable(name: string): Bitmap {
    const bitmap = this.#find(name);
    mustBeSaved(bitmap);
    return bitmap;
  }

  /** The entries of the directory as they are stored. */
  #stored(): Uint8Array[] {
    return this.#all().map(({ offset, length }) => this.#image.store.read(offset, length).slice());
  }

  /** Writes a new directory. One write of the first cluster makes the image refer to it. */
  #writeDirectory(entries: readonly Uint8Array[]): void {
    const image = this.#image;
    const before = image.opened.bitmaps?.fields;
    const directory = concat(...entries);
    const size = directory.length;
    if (size > limits.bitmapDirectory) {
      throw new EditError("The bitmap directory would be too long");
    }
    const place = { offset: storeTable(image, directory), length: size, count: entries.length };
    const data = size === 0 ? undefined : bitmapsData(place);
    const autoclear = image.file.header.autoclear_features;
    const extensions = withExtension(storedExtensions(image), extensionTypes.bitmaps, data);
    writeFirstCluster(image, {
      extensions,
      fields: {
        autoclear_features: size > 0 ? autoclear | features.bitmaps : autoclear & ~features.bitmaps,
      },
    });
    if (before === undefined) return;
    const { bitmap_directory_offset, bitmap_directory_size } = before;
    image.free(
      clustersAt(image.geometry, Number(bitmap_directory_offset), Number(bitmap_directory_size)),
    );
  }
}

/** @throws {EditError} for a bitmap whose bits mean nothing */
function mustBeSaved(bitmap: Bitmap): void {
  if (!isInUse(bitmap)) return;
  throw new EditError(`The bitmap '${imageText(bitmap.name)}' was not saved, and cannot be used`);
}

function mustCover(
  { geometry }: WritableImage,
  bitmap: { granularity_bits: number },
  size: number,
): void {
  if (bitmapTableNeeded(bitmap, { size, geometry }) * geometry.clusterSize <= limits.bitmap) return;
  throw new EditError(`A bitmap of this granularity for ${size} bytes would be too large`);
}

function granularityBits(granularity: number): number {
  const bits = Math.log2(granularity);
  const { min, max } = limits.granularityBits;
  if (Number.isInteger(bits) && bits >= min && bits <= max) return bits;
  throw new EditError(
    `The granularity must be a power of two from ${2 ** min} to ${2 ** max} bytes`,
  );
}
