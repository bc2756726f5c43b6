import { AccessError, EditError, type ImageEditor } from "../format/mod.ts";
import { type EditedImage, editImage, type EditImageOptions } from "../image/edit/mod.ts";
import { mustBeComplete, mustBeKnown, mustOpen, openAs } from "./images.ts";
import type { Options } from "./options.ts";
import { ImageError } from "./verb.ts";

/** An image that can be changed. */
export type Editable = EditedImage & { readonly editor: ImageEditor };

/**
 * Changes an image, with the options of `OPENING`. Whatever `work` throws, each of its changes is made or
 * not made at all.
 *
 * @throws {UsageError} when a file cannot be opened or written
 * @throws {ImageError} when the image does not allow the change
 */
export async function changing(
  path: string,
  options: Options,
  work: (image: Editable) => void | Promise<void>,
  how: Pick<EditImageOptions, "backing"> = {},
): Promise<void> {
  const image = openForChanges(path, options, how);
  try {
    mustBeEditable(image);
    await work(image);
    image.finish();
  } catch (error) {
    throw changeError(path, error);
  } finally {
    image.close();
  }
}

function openForChanges(
  path: string,
  options: Options,
  how: Pick<EditImageOptions, "backing"> = {},
): EditedImage {
  const now = (): bigint => BigInt(Date.now()) * 1_000_000n;
  return openAs(path, options, (open) => editImage(path, { ...open, ...how, now }));
}

/**
 * @throws {UsageError} when a passphrase is missing or wrong
 * @throws {ImageError} when the image cannot be changed for another reason
 */
export function mustBeEditable(image: EditedImage): asserts image is Editable {
  const { path, editor, reason } = image;
  mustBeKnown(image);
  if (reason === undefined) {
    mustOpen(image, "write");
    mustBeComplete(image);
  }
  if (editor !== undefined) return;
  throw new ImageError(`Cannot change ${path}: ${reason ?? "It is damaged (inspect shows where)"}`);
}

/** An error about a change that an image does not allow, in place of one of its editor. */
export function changeError(path: string, error: unknown): unknown {
  if (error instanceof EditError) {
    const reason = error.message.replace(/^Cannot change the image: /, "").replace(/^C/, "c");
    return new ImageError(`Cannot change ${path}: ${reason}`);
  }
  if (!(error instanceof AccessError)) return error;
  const { message, rule, place } = error.broken;
  return new ImageError(`Cannot change ${path}: ${message} (${rule} at ${place.path})`);
}
