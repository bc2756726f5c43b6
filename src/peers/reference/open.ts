import { utf8 } from "../../bytes/mod.ts";
import { KeptKeys } from "../../crypto/mod.ts";
import { type OpenedImage, openImage, type OpenOptions } from "../../image/mod.ts";
import type { Subject } from "../peer.ts";

/** Keys of one list of passphrases. */
const KEPT = 2 ** 8;
const kept = new WeakMap<readonly string[], KeptKeys>();

/**
 * Keys that were derived for earlier questions about an image. They are kept as long as the caller keeps
 * its list of passphrases, and not longer.
 */
export function keptKeysOf(passphrases: readonly string[]): KeptKeys {
  const keys = kept.get(passphrases) ?? new KeptKeys(KEPT);
  kept.set(passphrases, keys);
  return keys;
}

/**
 * Opens the image of a question as the reference does, with the passphrases that come with it.
 *
 * @throws {Error} when the image file itself cannot be read
 */
export function openSubject(
  { path, directory, format, header, passphrases }: Subject,
  options: Pick<OpenOptions, "alone"> = {},
): OpenedImage {
  return openImage(path, {
    ...options,
    ...(directory === undefined ? {} : { directory }),
    ...(format === undefined ? {} : { format }),
    ...(header === undefined ? {} : { header }),
    ...(passphrases === undefined
      ? {}
      : { passphrases: passphrases.map(utf8), keptKeys: keptKeysOf(passphrases) }),
  });
}
