import type { CreatedParts, DiskContent } from "../format/mod.ts";

/** A raw image. */
export interface RawCreation {
  /** In bytes: whole sectors. */
  readonly size: number;
  /** Zeros where it is absent. */
  readonly content?: DiskContent;
}

/** Zeros in a whole block of so many bytes become a hole. */
const UNIT = 65536;
/** Zeros of so many bytes are skipped at a time. */
const ZEROS_MAX = 2 ** 21;

/** Makes a raw image. */
export function* createRaw({ size, content }: RawCreation): CreatedParts {
  for (const { offset, bytes } of content?.(UNIT) ?? []) {
    if (bytes !== undefined) {
      yield { file: "image", offset, bytes: bytes.subarray(0, size - offset) };
    } else if (offset % ZEROS_MAX === 0) {
      yield { file: "image", offset, bytes: new Uint8Array(0) };
    }
  }
  return { image: size };
}
