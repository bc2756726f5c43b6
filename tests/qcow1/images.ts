/** Small images for tests, and the same with fields set to other values. */

import { type ByteSource, PatchedSource, SegmentSource } from "../../src/bytes/mod.ts";
import type { BuiltImage, Placed } from "../../src/format/mod.ts";
import { readUint, writeUint } from "../../src/layout/mod.ts";
import { buildQcow1 } from "../../src/qcow1/mod.ts";
import { AS_QEMU, type ImageOptions, modelOf } from "../../corpus/cases/qcow1/models.ts";

export { AS_QEMU, modelOf };

export function builtOf(options: ImageOptions = {}): BuiltImage {
  return buildQcow1(modelOf(options));
}

export function sourceOf(built: BuiltImage): ByteSource {
  return new SegmentSource(built.segments, built.size);
}

/** Where something is in an image that was built. */
export function placeOf(built: BuiltImage, path: string): Placed {
  const placed = built.placed.find((candidate) => candidate.path === path);
  if (placed === undefined) throw new Error(`Cannot find ${path} in the image`);
  return placed;
}

/** Offset and width of a field by its path, as `/header/size` or `/l2[0]/3/l2_entry`. */
function fieldAt(built: BuiltImage, path: string): { offset: number; width: number } {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const whole = path.slice(0, path.lastIndexOf("/"));
  const element = /^(.*)\/(\d+)$/.exec(whole);
  const placed = placeOf(built, element?.[1] ?? whole);
  const field = placed.struct?.fields.find((candidate) => candidate.name === name);
  if (placed.struct === undefined || field === undefined) throw new Error(`Cannot find ${path}`);
  const at = (placed.struct.offsets as Record<string, number>)[name] as number;
  const index = Number(element?.[2] ?? 0);
  return { offset: placed.offset + index * placed.struct.size + at, width: field.width };
}

/** The value of a field. */
export function fieldOf(built: BuiltImage, path: string): bigint {
  const { offset, width } = fieldAt(built, path);
  return readUint(sourceOf(built).read(offset, width), 0, width);
}

/** The image with fields set, and perhaps with another length. */
export function edited(
  built: BuiltImage,
  fields: Readonly<Record<string, bigint | number>>,
  size: number = built.size,
): ByteSource {
  const patches = Object.entries(fields).map(([path, value]) => {
    const { offset, width } = fieldAt(built, path);
    const bytes = new Uint8Array(width);
    writeUint(bytes, 0, width, BigInt(value));
    return { offset, bytes };
  });
  return new PatchedSource(sourceOf(built), patches, size);
}
