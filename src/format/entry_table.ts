import type { ByteSource } from "../bytes/mod.ts";

/** A 64-bit table entry as two halves, so that loops over tables need no `bigint`. */
export interface EntryHalves {
  /** Bits 32 to 63. */
  readonly high: number;
  /** Bits 0 to 31. */
  readonly low: number;
}

const ENTRY_BYTES = 8;
const HALF = 4;
/** Number of entries per read: 64 KiB of a file, and 4 KiB where the holes of a source are known. */
const PAGE_ENTRIES = 8192;
const SPARSE_PAGE_ENTRIES = 512;

/**
 * A table of 64-bit big-endian entries at any offset of a file, read a page at a time. Entries past the
 * end of the file are 0 and use no memory.
 */
export class EntryTable {
  /** Number of entries, including those past the end of the file. */
  readonly length: number;
  /** Byte offset of the table in the file. */
  readonly offset: number;
  /** Number of entries that are at least partly stored. All others are 0. */
  readonly stored: number;
  readonly #source: ByteSource;
  readonly #memory: PageMemory;
  readonly #pageEntries: number;
  #page = NO_PAGE;
  #pageNumber = -1;
  /** Range of entries that are known to be 0; the end is exclusive. */
  #zeros: readonly [number, number] = [0, 0];

  /** @param memory for the page that is read; other tables may use it, too */
  constructor(source: ByteSource, offset: number, length: number, memory = new PageMemory()) {
    const bytes = Math.max(0, source.size - offset);
    this.length = length;
    this.stored = Math.min(length, Math.ceil(bytes / ENTRY_BYTES));
    this.#source = source;
    this.#memory = memory;
    this.#pageEntries = source.nextData === undefined ? PAGE_ENTRIES : SPARSE_PAGE_ENTRIES;
    this.offset = offset;
  }

  /** Bits 32 to 63 of an entry. */
  high(index: number): number {
    return this.#half(index, 0);
  }

  /** Bits 0 to 31 of an entry. */
  low(index: number): number {
    return this.#half(index, HALF);
  }

  entry(index: number): EntryHalves {
    return { high: this.high(index), low: this.low(index) };
  }

  /** An entry as one number. */
  value(index: number): bigint {
    return (BigInt(this.high(index)) << 32n) | BigInt(this.low(index));
  }

  /** Byte offset of an entry in the file. */
  offsetOf(index: number): number {
    return this.offset + index * ENTRY_BYTES;
  }

  #half(index: number, half: number): number {
    if (index >= this.stored) return 0;
    this.#load(Math.floor(index / this.#pageEntries));
    return this.#page.values.getUint32((index % this.#pageEntries) * ENTRY_BYTES + half);
  }

  /** The first nonzero entry in `[index, end)`; `end` if there is none. */
  nextNonZero(index: number, end: number = this.length): number {
    const [zerosFrom, zerosTo] = this.#zeros;
    const last = Math.min(end, this.stored);
    let at = index >= zerosFrom && index < zerosTo ? zerosTo : index;
    while (at < last) {
      const number = Math.floor(at / this.#pageEntries);
      if (number !== this.#pageNumber) at = this.#nextData(at);
      if (at >= last || Math.floor(at / this.#pageEntries) !== number) continue;
      this.#load(number);
      const first = number * this.#pageEntries;
      const pageEnd = Math.min(last, first + this.#pageEntries);
      at = first + nonZero(this.#page.words, at - first, pageEnd - first);
      if (at < pageEnd) break;
    }
    if (at > index) this.#zeros = [index, at];
    return at < last ? at : end;
  }

  /**
   * The number of entries from `index` on, at least 1, each of which is the one before plus `step`. Only
   * entries that are read together are compared.
   */
  sequence(index: number, step: number, most: number): number {
    if (index >= this.stored) return 1;
    const number = Math.floor(index / this.#pageEntries);
    this.#load(number);
    const first = index - number * this.#pageEntries;
    return sequenceIn(this.#page.values, first, { step, most });
  }

  /** The first entry from one on that is not in a hole of the file. */
  #nextData(index: number): number {
    const offset = this.offsetOf(index);
    const data = this.#source.nextData?.(offset) ?? offset;
    // Offsets of 2^53 and more are rounded, also to less.
    return index + Math.max(0, Math.floor((data - offset) / ENTRY_BYTES));
  }

  #load(number: number): void {
    if (number === this.#pageNumber && this.#memory.isOf(this)) return;
    const first = number * this.#pageEntries;
    // If the read fails, no page is known.
    this.#pageNumber = -1;
    this.#page = this.#memory.pageFor(this, Math.min(this.#pageEntries, this.stored - first));
    // The file may end inside an entry: its missing bytes read as zeros.
    this.#source.readInto(this.offset + first * ENTRY_BYTES, this.#page.bytes);
    this.#pageNumber = number;
  }
}

/** Stored entries, and a view of them as words for finding nonzero ones. */
interface Page {
  readonly bytes: Uint8Array;
  readonly values: DataView;
  readonly words: Uint32Array;
}

function newPage(entries: number): Page {
  const buffer = new ArrayBuffer(entries * ENTRY_BYTES);
  return {
    bytes: new Uint8Array(buffer),
    values: new DataView(buffer),
    words: new Uint32Array(buffer),
  };
}

const NO_PAGE: Page = newPage(0);

/** Memory for one page, which tables that are read one after the other share. */
export class PageMemory {
  #page = NO_PAGE;
  #table: unknown;

  /** Whether the page is that of a table. */
  isOf(table: unknown): boolean {
    return this.#table === table;
  }

  /** A page with so many entries for a table. No other table has one any more. */
  pageFor(table: unknown, entries: number): Page {
    this.#table = table;
    if (this.#page.bytes.length !== entries * ENTRY_BYTES) this.#page = newPage(entries);
    return this.#page;
  }
}

/** The first entry from `index` on and before `end` that is not 0; `end` when there is none. */
function nonZero(words: Uint32Array, index: number, end: number): number {
  let at = index * 2;
  while (
    at + 4 <= end * 2 && words[at] === 0 && words[at + 1] === 0 && words[at + 2] === 0 &&
    words[at + 3] === 0
  ) at += 4;
  while (at < end * 2 && words[at] === 0) at++;
  return at >> 1;
}

const HALF_END = 2 ** 32;

/** The number of entries from `first` on, each of which is the one before plus `step`. */
function sequenceIn(
  values: DataView,
  first: number,
  { step, most }: { step: number; most: number },
): number {
  const end = Math.min(values.byteLength, (first + most) * ENTRY_BYTES);
  let high = values.getUint32(first * ENTRY_BYTES);
  let low = values.getUint32(first * ENTRY_BYTES + HALF);
  let at = (first + 1) * ENTRY_BYTES;
  for (; at < end; at += ENTRY_BYTES) {
    low += step;
    if (low >= HALF_END) {
      low -= HALF_END;
      high++;
    }
    if (values.getUint32(at + HALF) !== low || values.getUint32(at) !== high) break;
  }
  return at / ENTRY_BYTES - first;
}
