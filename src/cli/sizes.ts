import { sizeText } from "../report/mod.ts";
import { UsageError } from "./verb.ts";

const SUFFIXES = "KMGTPE";

/** No disk and no file reaches beyond it: 2^63. */
const END = 1n << 63n;

/**
 * A size in bytes as it is typed: a whole number with a suffix of K, M, G, T, P or E, which stand for
 * powers of 1024, or without one.
 *
 * @throws {UsageError} for anything else, and from 2^63 on
 */
export function parseSize(text: string, option: string): number {
  const [, digits, suffix = ""] = /^(\d{1,19})([KMGTPE]?)(?:i?B)?$/i.exec(text) ?? [];
  const power = suffix === "" ? 0 : SUFFIXES.indexOf(suffix.toUpperCase()) + 1;
  const bytes = digits === undefined ? END : BigInt(digits) << BigInt(10 * power);
  if (bytes < END && BigInt(Number(bytes)) === bytes) return Number(bytes);
  throw new UsageError(
    `Cannot run: --${option} takes a size in bytes such as 512, 64K or 1G, not '${text}'`,
  );
}

/** The value of an option as a size, where it was given. */
export function sizeOption(
  options: { value(name: string): string | undefined },
  name: string,
): number | undefined {
  const text = options.value(name);
  return text === undefined ? undefined : parseSize(text, name);
}

/** The most content that is read where nothing else is said: 1 TiB. */
export const MAX_SIZE_DEFAULT = 2 ** 40;

/**
 * Stops before an image makes us read for days.
 *
 * @throws {UsageError} when there is more content than the user asked for at most
 */
export function mustNotExceed(length: number, maxSize: number, path: string): void {
  if (length <= maxSize) return;
  throw new UsageError(
    `Cannot read ${path}: its content is ${sizeText(length)} (${
      BigInt(length)
    } bytes), more than ` +
      `${sizeText(maxSize)}; --max-size sets another limit`,
  );
}
