/**
 * Opens images for changes in place.
 *
 * Invariants:
 *
 * - Only the image that is named is changed, and its external data file. Backing files and detached
 *   headers are read.
 * - An image that an implementation must not write to has no editor: a finding says why.
 * - A file that an image names is opened only below the root directory, for changes too.
 *
 * @module
 */

export {
  type EditedImage,
  editFiles,
  type EditFilesOptions,
  editImage,
  type EditImageOptions,
} from "./open.ts";
export { commitInto, OverlayError } from "./commit.ts";
export { GuestStore } from "./guest_store.ts";
export { keepContent } from "./rebase.ts";
