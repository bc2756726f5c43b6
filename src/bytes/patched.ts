import type { ByteSource } from "./source.ts";

/** Bytes that replace those of another source, starting at `offset`. */
export interface Patch {
  /** Byte offset in the source. */
  readonly offset: number;
  /** What is read instead. */
  readonly bytes: Uint8Array;
}

/** Another source with some bytes replaced (later patches win) and optionally another size. */
export class PatchedSource implements ByteSource {
  readonly size: number;
  readonly #base: ByteSource;
  readonly #patches: readonly Patch[];

  constructor(base: ByteSource, patches: readonly Patch[], size: number = base.size) {
    this.#base = base;
    this.#patches = patches;
    this.size = size;
  }

  read(offset: number, length: number): Uint8Array {
    const inside = length <= Math.min(this.size, this.#base.size) - offset;
    if (inside && !this.#patches.some((patch) => overlaps(patch, offset, length))) {
      return this.#base.read(offset, length);
    }
    const target = new Uint8Array(length);
    this.readInto(offset, target);
    return target;
  }

  readInto(offset: number, target: Uint8Array): void {
    this.#base.readInto(offset, target);
    for (const patch of this.#patches) {
      if (!overlaps(patch, offset, target.length)) continue;
      const from = Math.max(0, offset - patch.offset);
      const at = Math.max(0, patch.offset - offset);
      target.set(patch.bytes.subarray(from, from + target.length - at), at);
    }
    const left = this.size - offset;
    if (left < target.length) target.fill(0, Math.max(0, left));
  }

  nextData(offset: number): number {
    const inBase = offset < this.#base.size;
    let next = inBase ? this.#base.nextData?.(offset) ?? offset : this.size;
    for (const { offset: at, bytes } of this.#patches) {
      if (bytes.length > offset - at) next = Math.min(next, Math.max(offset, at));
    }
    return Math.min(next, this.size);
  }

  close(): void {
    this.#base.close?.();
  }
}

function overlaps(patch: Patch, offset: number, length: number): boolean {
  return patch.offset - offset < length && offset - patch.offset < patch.bytes.length;
}
