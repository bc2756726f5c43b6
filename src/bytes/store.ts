import type { ByteSource } from "./source.ts";

/**
 * Bytes that can be changed in place. Other than that of a `ByteSource`, its size changes.
 *
 * What is written is read back at once. It is durable after the next `flush`: a crash may lose any of
 * the writes since the last one, and keep any others.
 */
export interface ByteStore extends ByteSource {
  /** Writes bytes. A write that ends past the end makes the store longer; a gap reads as zeros. */
  write(offset: number, bytes: Uint8Array): void;
  /** Sets the length in bytes. New bytes are zeros. */
  resize(size: number): void;
  /** Makes everything durable that was written before. */
  flush(): void;
}

/** Bytes that are stored together. */
const PAGE = 2 ** 12;

/**
 * A store in memory, which may start as a copy of a source. Nothing is written to the source, and only
 * the pages that were written are in memory.
 */
export class MemoryStore implements ByteStore {
  #size: number;
  readonly #base: ByteSource | undefined;
  /** What the base still has below this size; a store that was cut does not show it again. */
  #baseSize: number;
  readonly #pages = new Map<number, Uint8Array>();

  /**
   * A store in memory.
   *
   * @param base what the store starts as; empty if absent
   */
  constructor(base?: ByteSource) {
    this.#base = base;
    this.#size = base?.size ?? 0;
    this.#baseSize = this.#size;
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes that are stored: pages that were written, and what the base has stored. */
  get allocated(): number {
    const base = Math.min(this.#baseSize, this.#base?.allocated ?? this.#baseSize);
    return Math.min(this.#size, base + this.#pages.size * PAGE);
  }

  read(offset: number, length: number): Uint8Array {
    const target = new Uint8Array(length);
    this.readInto(offset, target);
    return target;
  }

  readInto(offset: number, target: Uint8Array): void {
    const end = Math.min(offset + target.length, this.#size);
    for (let at = offset; at < end;) {
      const next = Math.min(end, (Math.floor(at / PAGE) + 1) * PAGE);
      const part = target.subarray(at - offset, next - offset);
      const page = this.#pages.get(Math.floor(at / PAGE));
      if (page !== undefined) part.set(page.subarray(at % PAGE, at % PAGE + part.length));
      else this.#readBase(at, part);
      at = next;
    }
    target.fill(0, Math.max(0, end - offset));
  }

  #readBase(offset: number, target: Uint8Array): void {
    const inside = Math.max(0, Math.min(target.length, this.#baseSize - offset));
    if (inside > 0) this.#base?.readInto(offset, target.subarray(0, inside));
    target.fill(0, inside);
  }

  write(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    for (let at = offset; at < end;) {
      const next = Math.min(end, (Math.floor(at / PAGE) + 1) * PAGE);
      this.#page(Math.floor(at / PAGE)).set(bytes.subarray(at - offset, next - offset), at % PAGE);
      at = next;
    }
    this.#size = Math.max(this.#size, end);
  }

  #page(index: number): Uint8Array {
    const known = this.#pages.get(index);
    if (known !== undefined) return known;
    const page = new Uint8Array(PAGE);
    this.#readBase(index * PAGE, page);
    this.#pages.set(index, page);
    return page;
  }

  resize(size: number): void {
    if (size < this.#size) {
      const last = Math.floor(size / PAGE);
      for (const index of this.#pages.keys()) if (index > last) this.#pages.delete(index);
      if (size % PAGE !== 0) this.#page(last).fill(0, size % PAGE);
      else this.#pages.delete(last);
      this.#baseSize = Math.min(this.#baseSize, size);
    }
    this.#size = size;
  }

  flush(): void {}
}
