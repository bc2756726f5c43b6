/** A block of the guest content of a new image. */
export interface ContentBlock {
  /** In bytes, from the start of the disk. */
  readonly offset: number;
  /** `undefined` for zeros. */
  readonly bytes: Uint8Array | undefined;
}

/**
 * The guest content of a new image, as blocks of the given size in ascending order without gaps. The
 * last one may extend past the end of the disk, with zeros. The caller owns the bytes.
 */
export type DiskContent = (unit: number) => Iterable<ContentBlock>;
