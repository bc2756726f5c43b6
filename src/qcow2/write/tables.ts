import { masked } from "../entry_bits.ts";
import { pointerWords } from "../encode/entries.ts";
import { padded } from "../encode/padded.ts";
import { type L2Entry, NO_ENTRY } from "../l2_entries.ts";
import { entryBits, l1Entry } from "../structures.ts";
import type { WritableImage } from "./image.ts";

/** Location of an L2 table, as its L1 entry has it. */
export interface TableAt {
  /** Byte offset in the file; 0 if there is no table. */
  readonly offset: number;
  /** Only the active L1 table refers to it, so it can be changed in place. */
  readonly copied: boolean;
}

/** An L2 entry, as the halves of its words. */
export function entryWords(
  { high, low, allocated, zero }: L2Entry,
  extendedL2: boolean,
): readonly number[] {
  return extendedL2 ? [high, low, zero, allocated] : [high, low];
}

/** Writes a table to newly allocated clusters. @returns its offset in the file; 0 for no bytes */
export function storeTable(image: WritableImage, bytes: Uint8Array): number {
  if (bytes.length === 0) return 0;
  const { clusterSize } = image.geometry;
  const table = padded(bytes, clusterSize);
  const offset = image.allocate(table.length / clusterSize) * clusterSize;
  image.store.write(offset, table);
  return offset;
}

/** The active L1 table and the L2 tables that it refers to, as they are now. */
export class ActiveTables {
  readonly #image: WritableImage;

  constructor(image: WritableImage) {
    this.#image = image;
  }

  #l1At(index: number): number {
    return Number(this.#image.file.header.l1_table_offset) + index * l1Entry.size;
  }

  /** The L2 table of an index of the L1 table. */
  table(index: number): TableAt {
    const [high, low] = this.#image.words(this.#l1At(index), 2) as [number, number];
    const offset = masked(high, low, entryBits.l1Offset);
    return { offset, copied: (high & entryBits.copied.high) !== 0 };
  }

  /** Points an L1 entry to an L2 table. */
  setTable(index: number, offset: number, copied = true): void {
    this.#image.setWords(this.#l1At(index), pointerWords(offset, { copied }));
  }

  /** Entries of an L2 table, which may be missing. */
  entries({ offset }: TableAt, first: number, count: number): L2Entry[] {
    if (offset === 0) return new Array<L2Entry>(count).fill(NO_ENTRY);
    const { l2EntrySize, extendedL2 } = this.#image.geometry;
    const halves = l2EntrySize / 4;
    const words = this.#image.words(offset + first * l2EntrySize, count * halves) as number[];
    return Array.from({ length: count }, (_, i) => {
      const [high = 0, low = 0, zero = 0, allocated = 0] = extendedL2
        ? words.slice(i * halves, (i + 1) * halves)
        : [words[i * 2], words[i * 2 + 1]];
      return { high, low, allocated, zero };
    });
  }
}
