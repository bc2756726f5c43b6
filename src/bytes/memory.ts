import type { ByteSource } from "./source.ts";

/** Bytes that are already in memory. */
export class MemorySource implements ByteSource {
  readonly #bytes: Uint8Array;

  /** A source of these bytes. */
  constructor(bytes: Uint8Array) {
    // A Buffer of Node.js is a Uint8Array whose `slice` makes no copy.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get size(): number {
    return this.#bytes.length;
  }

  read(offset: number, length: number): Uint8Array {
    if (offset + length <= this.#bytes.length) {
      return this.#bytes.subarray(offset, offset + length);
    }
    const copy = new Uint8Array(length);
    this.readInto(offset, copy);
    return copy;
  }

  readInto(offset: number, target: Uint8Array): void {
    const from = Math.min(offset, this.#bytes.length);
    const stored = this.#bytes.subarray(from, from + target.length);
    target.set(stored);
    target.fill(0, stored.length);
  }
}
