import { utf8 } from "../../bytes/mod.ts";
import { KeptKeys } from "../../crypto/mod.ts";
import { type OpenedImage, openImage, type OpenOptions } from "../../image/mod.ts";
import type { Subject } from "../peer.ts";

/**
 * Several questions about an image come one after the other. Its passphrases are no secrets: they are
 * recorded with it, or drawn.
 */
export const keptKeys: KeptKeys = new KeptKeys(2 ** 8);

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
    keptKeys,
    ...options,
    ...(directory === undefined ? {} : { directory }),
    ...(format === undefined ? {} : { format }),
    ...(header === undefined ? {} : { header }),
    ...(passphrases === undefined ? {} : { passphrases: passphrases.map(utf8) }),
  });
}
