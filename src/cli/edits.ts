import { AccessError, EditError, type ImageEditor } from "../format/mod.ts";
import { openRefusal } from "../image/mod.ts";
import { type EditedImage, editImage } from "../image/edit/mod.ts";
import { mustBeKnown, mustOpen, openAs } from "./images.ts";
import type { Options } from "./options.ts";
import { random } from "./random.ts";
import { ImageError } from "./verb.ts";

/** An image that can be changed. */
export type Editable = EditedImage & { readonly editor: ImageEditor };

/**
 * Changes an image, with the options of `OPENING`. What `work` throws is reported; the image is then as
 * it was.
 *
 * @throws {UsageError} when a file cannot be opened or written
 * @throws {ImageError} when the image does not allow the change
 */
export function changeNamed<T>(
  path: string,
  options: Options,
  work: (image: Editable) => T,
): T {
  const image = openAs(path, options, (how) =>
    editImage(path, {
      ...how,
      random,
      now: () => BigInt(Date.now()) * 1_000_000n,
    }));
  try {
    mustBeEditable(image);
    const result = work(image);
    image.finish();
    return result;
  } catch (error) {
    if (error instanceof EditError) {
      throw new ImageError(`Cannot change ${path}: ${error.message}`);
    }
    if (error instanceof AccessError) {
      const { message, rule, place } = error.broken;
      throw new ImageError(`Cannot change ${path}: ${message} (${rule} at ${place.path})`);
    }
    throw error;
  } finally {
    image.close();
  }
}

function mustBeEditable(image: EditedImage): asserts image is Editable {
  mustBeKnown(image);
  mustOpen(image, "write");
  if (image.editor !== undefined) return;
  const { path, format, definition } = image;
  if (definition.editor === undefined) {
    throw new ImageError(`Cannot change ${path}: images of ${format} are only read`);
  }
  const refusal = openRefusal(image, "write") ?? image.findings.list()[0];
  const reason = image.incomplete
    ? "a file that it refers to was not opened"
    : refusal?.message ?? "it is damaged";
  throw new ImageError(`Cannot change ${path}: ${reason}`);
}
