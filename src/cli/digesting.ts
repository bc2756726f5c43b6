import { digestOf } from "../image/mod.ts";
import { OPENING, openNamed, readableLayers, reading } from "./images.ts";
import type { OptionNames, Options } from "./options.ts";
import { MAX_SIZE_DEFAULT, mustNotExceed, parseSize, sizeOption } from "./sizes.ts";
import { UsageError } from "./verb.ts";

/** The options of `digest`. */
export const DIGEST = {
  ...OPENING,
  flags: ["json", "progress"],
  values: [...OPENING.values, "snapshot", "range", "max-size"],
} as const satisfies OptionNames;

/** The digest of one image. */
export interface Digested {
  /** SHA-256 in lower-case hexadecimal. */
  readonly sha256: string;
  /** Number of bytes that it covers. */
  readonly length: number;
}

/** Receives how many of so many bytes are hashed. */
export type Hashed = (done: number, length: number) => void;

interface Part {
  readonly start: number;
  /** Absent for the rest of the disk. */
  readonly length?: number;
  readonly maxSize: number;
}

/** @throws {UsageError} for an invalid range */
export function partOf(options: Options): Part {
  const maxSize = sizeOption(options, "max-size") ?? MAX_SIZE_DEFAULT;
  const range = options.value("range");
  if (range === undefined) return { start: 0, maxSize };
  const [start, length, ...others] = range.split(":");
  if (start === undefined || length === undefined || others.length > 0) {
    throw new UsageError(`--range must be START:LENGTH, such as 1M:64K, not '${range}'`);
  }
  return { start: parseSize(start, "range"), length: parseSize(length, "range"), maxSize };
}

/**
 * Opens an image and hashes its content, as the options say.
 *
 * @throws {UsageError} when the file cannot be read
 * @throws {ImageError} when the image does not open, or its content cannot be read
 */
export async function digestNamed(
  path: string,
  options: Options,
  hashed?: Hashed,
): Promise<Digested> {
  const part = partOf(options);
  const image = openNamed(path, options);
  try {
    const layers = readableLayers(image, options.value("snapshot"));
    const size = layers[0]?.virtualSize ?? 0;
    const length = part.length ?? size - part.start;
    if (length < 0 || part.start + length > size) {
      throw new UsageError(`Cannot read ${path}: the range ends past the disk of ${size} bytes`);
    }
    mustNotExceed(length, part.maxSize, path);
    const range = {
      from: part.start,
      to: part.start + length,
      ...(hashed === undefined ? {} : { hashed: (done: number) => hashed(done, length) }),
    };
    hashed?.(0, length);
    return { sha256: await reading(path, () => digestOf(layers, range)), length };
  } finally {
    image.close();
  }
}
