import { sizeText } from "../report/mod.ts";
import { UsageError } from "./verb.ts";

const SUFFIXES = "KMGTPE";

/** The upper limit of the size of a disk or a file: 2^63. */
const END = 1n << 63n;

/**
 * Parses a size in bytes: a whole number, with an optional suffix K, M, G, T, P or E for powers of 1024.
 *
 * @throws {UsageError} for anything else, and from 2^63 on
 */
export function parseSize(text: string, option: string): number {
  const [, digits, suffix = ""] = /^(\d{1,19})([KMGTPE]?)(?:i?B)?$/i.exec(text) ?? [];
  const power = suffix === "" ? 0 : SUFFIXES.indexOf(suffix.toUpperCase()) + 1;
  const bytes = digits === undefined ? END : BigInt(digits) << BigInt(10 * power);
  if (bytes < END && BigInt(Number(bytes)) === bytes) return Number(bytes);
  throw new UsageError(
    `--${option} must be a size in bytes such as 512, 64K or 1G, not '${text}'`,
  );
}

/** The value of an option as a size, if it was given. */
export function sizeOption(
  options: { value(name: string): string | undefined },
  name: string,
): number | undefined {
  const text = options.value(name);
  return text === undefined ? undefined : parseSize(text, name);
}

/**
 * The size of a disk, which is not the value of an option.
 *
 * @throws {UsageError} for anything but a size below 2^63
 */
export function parsePositionalSize(text: string): number {
  try {
    return parseSize(text, "size");
  } catch {
    throw new UsageError(
      `the size must be in bytes, such as 512, 64K or 1G, and below 2^63, not '${text}'`,
    );
  }
}

/** The default limit on the content that is read: 1 TiB. */
export const MAX_SIZE_DEFAULT = 2 ** 40;

/**
 * Checks the limit on content, so that an image cannot cause days of reading.
 *
 * @throws {UsageError} if there is more content than the limit
 */
export function mustNotExceed(length: number, maxSize: number, path: string): void {
  if (length <= maxSize) return;
  throw new UsageError(
    `Cannot read ${path}: its content is ${sizeText(length)} (${
      BigInt(length)
    } bytes), more than ` +
      `${sizeText(maxSize)}; --max-size changes the limit`,
  );
}
