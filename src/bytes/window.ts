import type { ByteSource } from "./source.ts";

/** A part of another source, cut at the end of that source. */
export class WindowSource implements ByteSource {
  readonly size: number;
  readonly #base: ByteSource;
  readonly #offset: number;

  /** @param length in bytes, cut at the end of `base` */
  constructor(base: ByteSource, offset: number, length: number = Infinity) {
    this.#base = base;
    this.#offset = offset;
    this.size = Math.max(0, Math.min(length, base.size - offset));
  }

  read(offset: number, length: number): Uint8Array {
    if (offset + length <= this.size) return this.#base.read(this.#offset + offset, length);
    const target = new Uint8Array(length);
    this.readInto(offset, target);
    return target;
  }

  readInto(offset: number, target: Uint8Array): void {
    const inside = Math.max(0, Math.min(target.length, this.size - offset));
    if (inside > 0) this.#base.readInto(this.#offset + offset, target.subarray(0, inside));
    target.fill(0, inside);
  }
}
