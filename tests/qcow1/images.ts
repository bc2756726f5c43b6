/** Small images for tests, and the same with fields set to other values. */

import { type ByteSource, PatchedSource, SegmentSource } from "../../src/bytes/mod.ts";
import type { BuiltImage, Placed } from "../../src/format/mod.ts";
import { readUint, writeUint } from "../../src/layout/mod.ts";
import {
  buildQcow1,
  normaliseQcow1,
  type Placement,
  type Qcow1Model,
} from "../../src/qcow1/mod.ts";

/** What {@link imageOf} is told; the rest is as QEMU would have it. */
export interface ImageOptions extends Partial<Omit<Qcow1Model, "placement">> {
  readonly placement?: Partial<Placement>;
}

/** Compressed as QEMU does. */
export const AS_QEMU = { level: -1, gap: 0, aligned: true } as const;

/**
 * Two clusters of data around a compressed one, each of 4 KiB; the disk ends 512 bytes into the third.
 */
export function modelOf(options: ImageOptions = {}): Qcow1Model {
  const { placement, ...rest } = options;
  return normaliseQcow1({
    format: "qcow",
    clusterBits: 12,
    l2Bits: 9,
    size: 8704n,
    mtime: 0,
    padding: 0,
    clusters: [
      { index: 0, kind: "data", pattern: { kind: "text", seed: 1 } },
      { index: 1, kind: "compressed", pattern: { kind: "fill", seed: 7 }, ...AS_QEMU },
      { index: 2, kind: "data", pattern: { kind: "ramp", seed: 3 } },
    ],
    ...rest,
    placement: {
      seed: 0,
      holes: [],
      l1Skew: 0,
      l2Skews: [],
      clusterSkews: [],
      cutTail: false,
      ...placement,
    },
  });
}

export function builtOf(options: ImageOptions = {}): BuiltImage {
  return buildQcow1(modelOf(options));
}

export function sourceOf(built: BuiltImage): ByteSource {
  return new SegmentSource(built.segments, built.size);
}

/** Where something lies in an image that was built. */
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
