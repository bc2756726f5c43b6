/** Small volumes for tests, and the same with fields set to other values. */

import { type ByteSource, type Patch, PatchedSource, SegmentSource } from "../../src/bytes/mod.ts";
import type { BuiltImage } from "../../src/format/mod.ts";
import { fieldOf, type Struct, writeUint } from "../../src/layout/mod.ts";
import { modelOf, UUID } from "../../corpus/cases/luks1/models.ts";
import { buildLuks1, type Luks1Model } from "../../src/luks1/mod.ts";
import type { Volume } from "./ours.ts";

export { modelOf, UUID };

export function sourceOf({ segments, size }: BuiltImage): ByteSource {
  return new SegmentSource(segments, size);
}

/** A built volume with the passphrase of its first key. */
export function volumeOf(options: Partial<Luks1Model> = {}): Volume {
  const model = modelOf(options);
  const { image, payload } = buildLuks1(model);
  return {
    source: sourceOf(image),
    ...(payload === undefined ? {} : { payload: sourceOf(payload) }),
    passphrase: model.keys[0]?.passphrase ?? "",
  };
}

/** A number for an integer field, text for a field of bytes, which is padded with zeros. */
export type Value = number | string;

/** The volume with fields of `image` set, as `/header/version`, and perhaps with another length. */
export function edited(
  image: BuiltImage,
  fields: Readonly<Record<string, Value>>,
  size: number = image.size,
): ByteSource {
  const patches = Object.entries(fields).map(([path, value]) => patchOf(image, path, value));
  return new PatchedSource(sourceOf(image), patches, size);
}

function patchOf(image: BuiltImage, path: string, value: Value): Patch {
  const { offset, struct, name } = placeOf(image, path);
  const field = fieldOf(struct, name as never);
  const bytes = new Uint8Array(field.width);
  if (typeof value === "number") writeUint(bytes, 0, field.width, BigInt(value));
  else bytes.set(Uint8Array.from(value, (letter) => letter.charCodeAt(0)).subarray(0, field.width));
  const at = (struct.offsets as Record<string, number>)[name] ?? 0;
  return { offset: offset + at, bytes };
}

function placeOf(
  image: BuiltImage,
  path: string,
): { offset: number; struct: Struct; name: string } {
  const [, whole = "", element, name = ""] = /^(.*?)(?:\/(\d+))?\/(\w+)$/.exec(path) ?? [];
  const placed = image.placed.find((candidate) => candidate.path === whole);
  if (placed?.struct === undefined) throw new Error(`Cannot find ${path} in the volume`);
  const offset = placed.offset + Number(element ?? 0) * placed.struct.size;
  return { offset, struct: placed.struct, name };
}
