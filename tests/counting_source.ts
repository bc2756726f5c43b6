import type { ByteSource } from "../src/bytes/mod.ts";

/** A source that counts what is read of it: work that a test can bound without a clock. */
export class CountingSource implements ByteSource {
  readonly #source: ByteSource;
  /** Bytes read so far, each as often as it was read. */
  bytes = 0;
  readonly #reads: { readonly start: number; readonly end: number }[] = [];

  constructor(source: ByteSource) {
    this.#source = source;
  }

  get size(): number {
    return this.#source.size;
  }

  read(offset: number, length: number): Uint8Array {
    this.#count(offset, length);
    return this.#source.read(offset, length);
  }

  readInto(offset: number, target: Uint8Array): void {
    this.#count(offset, target.length);
    this.#source.readInto(offset, target);
  }

  /** How many reads have touched a range. */
  readsOf(start: number, length: number): number {
    return this.#reads.filter((read) => read.start < start + length && start < read.end).length;
  }

  #count(offset: number, length: number): void {
    this.bytes += length;
    this.#reads.push({ start: offset, end: offset + length });
  }
}
