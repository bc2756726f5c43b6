/** A finite run of bytes with random access. See the room's invariants in `mod.ts`. */
export interface ByteSource {
  /** Length in bytes. */
  readonly size: number;
  /** Bytes that are stored of it, where that is known to be another number. */
  readonly allocated?: number | undefined;
  /**
   * `length` bytes from `offset` on, zeros where they are past the end.
   *
   * The result has `length` bytes whatever the size of the source: a caller that takes `length`
   * from an image bounds it first, or calls {@link readUpTo}.
   */
  read(offset: number, length: number): Uint8Array;
  /** The same into `target`, whose length says how many bytes. */
  readInto(offset: number, target: Uint8Array): void;
  /** Lets go of what the source holds open, where it holds anything. */
  close?(): void;
}

/** Bytes that a source really holds: a limit for work that a sparse file must not multiply. */
export function storedSize(source: ByteSource): number {
  return Math.min(source.size, source.allocated ?? source.size);
}

/**
 * The part of `[offset, offset + length)` that is inside the source, and no more: the way to read
 * a table whose length an image claims. What is missing reads as zeros by the room's invariant.
 */
export function readUpTo(source: ByteSource, offset: number, length: number): Uint8Array {
  const stored = Math.max(0, Math.min(length, source.size - offset));
  return source.read(offset, stored);
}
