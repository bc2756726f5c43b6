/**
 * Changes images in place: their content, size, snapshots, bitmaps and properties. Whenever writing
 * stops, the image opens, and each sector (in a LUKS2 volume, of the size that its header says) has its
 * old bytes or the new ones.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { layersOf, MemoryStore, openBytes, readContent } from "@diskproof/diskproof";
 * import { editFiles } from "@diskproof/diskproof/edit";
 *
 * const store = new MemoryStore();
 * store.resize(4096);
 * const image = editFiles(new Map([["disk.raw", store]]), "raw");
 * image.editor?.write(512, new Uint8Array([1, 2, 3]));
 * image.finish();
 * image.close();
 *
 * const layers = layersOf(openBytes(store, "raw"));
 * assertEquals(readContent(layers, 511, 5), new Uint8Array([0, 1, 2, 3, 0]));
 * ```
 *
 * `editImage` opens a file with its backing chain. An image that must not be written to has no
 * `editor`; `reason` or a finding says why.
 *
 * @module
 */

export { FileStore } from "../src/bytes/mod.ts";
export { EditError } from "../src/format/mod.ts";
export type {
  BackingReference,
  BitmapEditor,
  EditOptions,
  ImageEditor,
  ResizeOptions,
  SnapshotEditor,
  ZeroOptions,
} from "../src/format/mod.ts";
export {
  type EditedImage,
  editFiles,
  type EditFilesOptions,
  editImage,
  type EditImageOptions,
} from "../src/image/edit/mod.ts";
