import type { ByteSource } from "../../src/bytes/mod.ts";

/** Another source with some bytes taken out and others put in their place; what follows moves. */
export class SplicedSource implements ByteSource {
  readonly size: number;
  readonly #base: ByteSource;
  readonly #offset: number;
  readonly #insert: Uint8Array;
  /** Where the rest starts: here, and in the base. */
  readonly #after: number;
  readonly #restAt: number;

  constructor(
    base: ByteSource,
    splice: { offset: number; remove: number; insert: Uint8Array },
  ) {
    const offset = Math.min(splice.offset, base.size);
    const remove = Math.min(splice.remove, base.size - offset);
    this.#base = base;
    this.#offset = offset;
    this.#insert = splice.insert;
    this.#after = offset + splice.insert.length;
    this.#restAt = offset + remove;
    this.size = base.size - remove + splice.insert.length;
  }

  read(offset: number, length: number): Uint8Array {
    if (offset + length <= this.#offset) return this.#base.read(offset, length);
    const target = new Uint8Array(length);
    this.readInto(offset, target);
    return target;
  }

  readInto(offset: number, target: Uint8Array): void {
    const end = offset + target.length;
    const before = Math.max(0, Math.min(end, this.#offset) - offset);
    if (before > 0) this.#base.readInto(offset, target.subarray(0, before));
    const middle = Math.max(0, Math.min(end, this.#after) - offset);
    if (middle > before) {
      const from = Math.max(0, offset - this.#offset);
      target.set(this.#insert.subarray(from, from + middle - before), before);
    }
    if (target.length > middle) {
      const from = Math.max(offset, this.#after) - this.#after + this.#restAt;
      this.#base.readInto(from, target.subarray(Math.max(before, middle)));
    }
  }

  nextData(offset: number): number {
    const next = (from: number): number => this.#base.nextData?.(from) ?? from;
    if (offset < this.#offset) return Math.min(next(offset), this.#offset);
    if (offset < this.#after) return offset;
    return next(offset - this.#after + this.#restAt) - this.#restAt + this.#after;
  }

  close(): void {
    this.#base.close?.();
  }
}
