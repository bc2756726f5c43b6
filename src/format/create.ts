import type { Segment } from "../bytes/mod.ts";

/** Bytes at their place in one of the files of a new image. */
export interface CreatedPart extends Segment {
  /** `header`: the file of a detached header; `data`: an external data file. */
  readonly file: "image" | "header" | "data";
}

/** Lengths in bytes of the files that an image has. */
export type CreatedSizes = Readonly<
  Partial<Record<CreatedPart["file"], number>> & { image: number }
>;

/**
 * A new image in the making. Parts come in no order, each is good until the next one, and an empty one
 * comes now and then while there are zeros to skip; at last come the lengths of the files. What no part
 * covers is zeros.
 */
export type CreatedParts = Generator<CreatedPart, CreatedSizes>;
