/** A block of the guest content of a new image. */
export interface ContentBlock {
  /** In bytes, from the start of the disk. */
  readonly offset: number;
  /** `undefined` for zeros. */
  readonly bytes: Uint8Array | undefined;
}

/** Bytes of adjacent units of content that are handled together, where they need not be one by one. */
export const CONTENT_RUN: number = 2 ** 20;

/**
 * The guest content of a new image, as blocks of the given size in ascending order without gaps. The
 * last one may extend past the end of the disk, with zeros. The bytes of a block are valid until the
 * next one, and until then the caller may change them.
 *
 * With `most`, a block with bytes may consist of several units, up to so many bytes, none of which is
 * all zeros.
 */
export type DiskContent = (unit: number, most?: number) => Iterable<ContentBlock>;
