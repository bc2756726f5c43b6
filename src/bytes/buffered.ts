import { type ByteSource, readUpTo } from "./source.ts";

/** Number of bytes of the first read, and of the longest one: each is twice as long as the one before. */
const WINDOW = { first: 2 ** 9, most: 2 ** 16 };
const NOTHING = new Uint8Array(0);

/** Another source, read in large pieces: for many consecutive small structures. */
export class BufferedSource implements ByteSource {
  readonly size: number;
  readonly #base: ByteSource;
  #window: Uint8Array = NOTHING;
  #start = 0;
  #next = WINDOW.first;

  constructor(base: ByteSource) {
    this.#base = base;
    this.size = base.size;
  }

  read(offset: number, length: number): Uint8Array {
    if (!this.#has(offset, length)) {
      while (this.#next < length && this.#next < WINDOW.most) this.#next *= 2;
      this.#window = readUpTo(this.#base, offset, this.#next);
      this.#next = Math.min(WINDOW.most, 2 * this.#next);
      this.#start = offset;
    }
    const at = offset - this.#start;
    // Ranges that are longer than a piece or extend past the end are read directly.
    return this.#has(offset, length)
      ? this.#window.subarray(at, at + length)
      : this.#base.read(offset, length);
  }

  #has(offset: number, length: number): boolean {
    const at = offset - this.#start;
    return at >= 0 && at + length <= this.#window.length;
  }

  readInto(offset: number, target: Uint8Array): void {
    target.set(this.read(offset, target.length));
  }
}
