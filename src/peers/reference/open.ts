import { utf8 } from "../../bytes/mod.ts";
import { type OpenedImage, openImage, type OpenOptions } from "../../image/mod.ts";
import type { Subject } from "../peer.ts";

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
    ...(passphrases === undefined ? {} : { passphrases: passphrases.map(utf8) }),
  });
}
