import { CONTENT_RUN, type CreatedParts, type DiskContent } from "../format/mod.ts";

/** A raw image. */
export interface RawCreation {
  /** In bytes: whole sectors. */
  readonly size: number;
  /** Zeros by default. */
  readonly content?: DiskContent;
}

/** Length of a block that becomes a hole if it is all zeros. */
const UNIT = 65536;
/** Number of zero bytes that are skipped at a time. */
const ZEROS_MAX = 2 ** 21;

/** Creates a raw image. */
export function* createRaw({ size, content }: RawCreation): CreatedParts {
  for (const { offset, bytes } of content?.(UNIT, CONTENT_RUN) ?? []) {
    if (bytes !== undefined) {
      yield { file: "image", offset, bytes: bytes.subarray(0, size - offset) };
    } else if (offset % ZEROS_MAX === 0) {
      yield { file: "image", offset, bytes: new Uint8Array(0) };
    }
  }
  return { image: size };
}
