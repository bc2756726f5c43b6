import type { CreatedParts } from "../../format/mod.ts";
import { type CreationOf, formatOf, type ListedFormat } from "../../formats.ts";

/** An image of any format that can be made. */
export type Creation = CreationOf<ListedFormat>;

/**
 * Makes an image. The bytes come in parts, so that an image of any size is made in little memory.
 *
 * @throws {RangeError} when the options do not go together, or are out of their range
 * @throws {Luks1Error} when there is no such volume
 *
 * @example
 * ```ts
 * import { createImage } from "./mod.ts";
 *
 * const parts = createImage({ format: "raw", size: 1024 });
 * parts.next(); // { done: true, value: { image: 1024 } }
 * ```
 */
export function createImage(creation: Creation): CreatedParts {
  const { format, ...options } = creation;
  const { create } = formatOf(format);
  if (create === undefined) throw new TypeError(`Cannot create an image of ${format}`);
  return create.make(options);
}
