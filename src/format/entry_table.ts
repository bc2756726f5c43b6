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
/** Number of entries per read: 64 KiB. */
const PAGE_ENTRIES = 8192;

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
  #page = NO_PAGE;
  #pageNumber = -1;
  /** Range of entries that are known to be 0; the end is exclusive. */
  #zeros: readonly [number, number] = [0, 0];

  constructor(source: ByteSource, offset: number, length: number) {
    const bytes = Math.max(0, source.size - offset);
    this.length = length;
    this.stored = Math.min(length, Math.ceil(bytes / ENTRY_BYTES));
    this.#source = source;
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
    this.#load(Math.floor(index / PAGE_ENTRIES));
    return this.#page.values.getUint32((index % PAGE_ENTRIES) * ENTRY_BYTES + half);
  }

  /** The first nonzero entry in `[index, end)`; `end` if there is none. */
  nextNonZero(index: number, end: number = this.length): number {
    const [zerosFrom, zerosTo] = this.#zeros;
    const last = Math.min(end, this.stored);
    let at = index >= zerosFrom && index < zerosTo ? zerosTo : index;
    while (at < last) {
      const number = Math.floor(at / PAGE_ENTRIES);
      this.#load(number);
      const first = number * PAGE_ENTRIES;
      const pageEnd = Math.min(last, first + PAGE_ENTRIES);
      at = first + nonZero(this.#page.words, at - first, pageEnd - first);
      if (at < pageEnd) break;
    }
    if (at > index) this.#zeros = [index, at];
    return at < last ? at : end;
  }

  #load(number: number): void {
    if (number === this.#pageNumber) return;
    const first = number * PAGE_ENTRIES;
    const bytes = new Uint8Array(Math.min(PAGE_ENTRIES, this.stored - first) * ENTRY_BYTES);
    // The file may end inside an entry: its missing bytes read as zeros.
    this.#source.readInto(this.offset + first * ENTRY_BYTES, bytes);
    this.#page = { values: new DataView(bytes.buffer), words: new Uint32Array(bytes.buffer) };
    this.#pageNumber = number;
  }
}

/** Stored entries, and a view of them as words for finding nonzero ones. */
interface Page {
  readonly values: DataView;
  readonly words: Uint32Array;
}

const NO_PAGE: Page = { values: new DataView(new ArrayBuffer(0)), words: new Uint32Array(0) };

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
