import { type ByteSource, readUpTo } from "../bytes/mod.ts";
import type { BitMask } from "../layout/mod.ts";

const ENTRY_BYTES = 8;

/** The value in a pair of 32-bit halves. Exact below 2^53 and for multiples of 2^n below 2^(53 + n). */
export function joined(high: number, low: number): number {
  return high * 0x100000000 + low;
}

/** The value in a pair of 32-bit halves, exact. */
export function wordOf(high: number, low: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** The bits under a mask, in place, as a number. Exact for offsets: they are multiples of 512. */
export function masked(high: number, low: number, bits: BitMask): number {
  return joined((high & bits.high) >>> 0, (low & bits.low) >>> 0);
}

/** Whether any bit under the mask is set. */
export function anyBit(high: number, low: number, bits: BitMask): boolean {
  return ((high & bits.high) | (low & bits.low)) !== 0;
}

/**
 * A table of 64-bit big-endian entries, stored in a file as far as the file goes: entries past its end
 * are 0, and cost nothing. Entries are had as two 32-bit halves.
 */
export class EntryTable {
  /** Number of entries, also of those past the end of the file. */
  readonly length: number;
  /** Byte offset of the table in the file. */
  readonly offset: number;
  /** Entries that are stored; all others are 0. */
  readonly stored: number;
  readonly #view: DataView;
  /** The same bytes in the machine's own words, to find what is not zero: that needs no byte order. */
  readonly #words: Uint32Array;

  constructor(source: ByteSource, offset: number, length: number) {
    const bytes = readUpTo(source, offset, length * ENTRY_BYTES);
    const whole = Math.ceil(bytes.length / ENTRY_BYTES) * ENTRY_BYTES;
    // The file may end inside an entry: its missing bytes are zeros.
    const padded = whole === bytes.length ? bytes : source.read(offset, whole);
    this.length = length;
    this.offset = offset;
    this.stored = whole / ENTRY_BYTES;
    this.#view = new DataView(padded.buffer, padded.byteOffset, padded.byteLength);
    const aligned = padded.byteOffset % 4 === 0 ? padded : padded.slice();
    this.#words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
  }

  /** Bits 32 to 63 of an entry. */
  high(index: number): number {
    return index < this.stored ? this.#view.getUint32(index * ENTRY_BYTES) : 0;
  }

  /** Bits 0 to 31 of an entry. */
  low(index: number): number {
    return index < this.stored ? this.#view.getUint32(index * ENTRY_BYTES + 4) : 0;
  }

  entry(index: number): bigint {
    return wordOf(this.high(index), this.low(index));
  }

  /** Byte offset of an entry in the file. */
  offsetOf(index: number): number {
    return this.offset + index * ENTRY_BYTES;
  }

  /** The first entry from `index` on that is not 0; `length` when there is none. */
  nextNonZero(index: number): number {
    const words = this.#words;
    for (let i = 2 * index; i < words.length; i++) if (words[i] !== 0) return i >>> 1;
    return this.length;
  }
}
