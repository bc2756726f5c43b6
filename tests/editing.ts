/** Random changes of an image, and what its content is after them. */

import * as fc from "fast-check";
import { EditError, type ImageEditor } from "../src/format/mod.ts";
import { layersOf, readContent } from "../src/image/mod.ts";
import type { EditedImage } from "../src/image/edit/mod.ts";

/** A change of a disk. */
export interface Change {
  readonly kind: "write" | "zeroes" | "compressed";
  readonly offset: number;
  readonly length: number;
  readonly fill: number;
}

/** Changes of a disk of `size` bytes, most of which start or end near a multiple of `unit`. */
export function changes(size: number, unit: number): fc.Arbitrary<Change[]> {
  const near = fc.tuple(fc.nat(Math.floor(size / unit)), fc.integer({ min: -2, max: 513 }))
    .map(([index, more]) => Math.min(size, Math.max(0, index * unit + more)));
  const position = fc.oneof(near, fc.nat(size));
  const change = fc.record({
    kind: fc.constantFrom<Change["kind"]>("write", "write", "zeroes", "compressed"),
    ends: fc.tuple(position, fc.oneof(position, fc.nat(Math.min(size, 3 * unit)))),
    fill: fc.integer({ min: 1, max: 255 }),
  }).map(({ kind, ends: [from, to], fill }): Change => {
    if (kind === "compressed") {
      const offset = Math.floor(Math.min(from, size - 1) / unit) * unit;
      return { kind, offset, length: Math.min(unit, size - offset), fill };
    }
    const offset = Math.min(from, to);
    return { kind, offset, length: Math.abs(to - from), fill };
  });
  return fc.array(change, { minLength: 1, maxLength: 8 });
}

/** The bytes that a change writes. */
export function bytesOf({ kind, length, fill }: Change): Uint8Array {
  const bytes = new Uint8Array(length);
  if (kind !== "zeroes") { for (let at = 0; at < length; at++) bytes[at] = fill + (at >> 4); }
  return bytes;
}

/** Makes a change. A compressed write is an ordinary one where the format has none. */
export function make(editor: ImageEditor, change: Change): void {
  const bytes = bytesOf(change);
  if (change.kind === "zeroes") editor.writeZeroes(change.offset, change.length);
  else if (change.kind === "compressed" && editor.writeCompressed !== undefined) {
    editor.writeCompressed(change.offset, bytes);
  } else editor.write(change.offset, bytes);
}

/** The content of an image now. */
export function contentNow(image: EditedImage): Uint8Array {
  const layers = layersOf(image);
  return readContent(layers, 0, layers[0]?.virtualSize ?? 0);
}

/** The editor of an image that can be written to. */
export function editorOf({ editor, findings }: EditedImage): ImageEditor {
  if (editor !== undefined) return editor;
  throw new EditError(`There is no editor: ${findings.list()[0]?.message}`);
}
