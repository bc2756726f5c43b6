/** A finite run of bytes with random access. See the room's invariants in `mod.ts`. */
export interface ByteSource {
  /** Length in bytes. */
  readonly size: number;
  /** Number of stored bytes, if it is known to differ. */
  readonly allocated?: number | undefined;
  /**
   * `length` bytes starting at `offset`. Bytes past the end are zeros.
   *
   * The result has `length` bytes regardless of the size of the source: a caller that reads `length`
   * from an image must limit it first, or call {@link readUpTo}.
   */
  read(offset: number, length: number): Uint8Array;
  /** Fills `target`. */
  readInto(offset: number, target: Uint8Array): void;
  /**
   * The first offset from `offset` on whose byte may be other than zero, or the size if there is none:
   * for sources that know their holes.
   */
  nextData?(offset: number): number;
  /** Releases the resources of the source, if any. */
  close?(): void;
}

/** Number of stored bytes of a source, as a limit on work that must not grow with sparse files. */
export function storedSize(source: ByteSource): number {
  return Math.min(source.size, source.allocated ?? source.size);
}

/**
 * The part of `[offset, offset + length)` that is inside the source. Use this for tables whose length
 * comes from an image.
 */
export function readUpTo(source: ByteSource, offset: number, length: number): Uint8Array {
  const stored = Math.max(0, Math.min(length, source.size - offset));
  return source.read(offset, stored);
}
