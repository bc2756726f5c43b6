/** A stretch of what a guest is to see of a new image. */
export interface ContentBlock {
  /** In bytes, from the start of the disk. */
  readonly offset: number;
  /** `undefined` for zeros. */
  readonly bytes: Uint8Array | undefined;
}

/**
 * What a guest is to see of a new image, as blocks of so many bytes in ascending order without gaps, of
 * which the last one may reach past the end of the disk, with zeros. The bytes are the taker's: to write
 * to, and to keep while others come.
 */
export type DiskContent = (unit: number) => Iterable<ContentBlock>;
