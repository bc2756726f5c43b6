import { unsupportedFormat, UsageError } from "../../src/cli/mod.ts";
import { images, type Kit } from "../formats/mod.ts";

/** The names of the formats that have single images. */
export const imageFormats: readonly string[] = images.map(({ format }) => format.name);

/**
 * The kits of the named formats; all of them if none is named.
 *
 * @throws {UsageError} for a name that is not one of them
 */
export function imageKits(named: readonly string[]): readonly Kit[] {
  for (const name of named) {
    if (!imageFormats.includes(name)) throw new UsageError(unsupportedFormat(name, imageFormats));
  }
  return images.filter(({ format }) => named.length === 0 || named.includes(format.name));
}
