import { SegmentSource } from "../../src/bytes/mod.ts";
import type { Qcow2Model } from "../../src/qcow2/mod.ts";
import { buildQcow2, normaliseQcow2 } from "../../src/qcow2/build/mod.ts";
import { plain } from "../qcow2/built_parts.ts";

/** An empty disk of eight clusters. */
export const small: Qcow2Model = { ...plain, size: 4096n };

/** The file of that disk, with changes. */
export function overlayBytes(changes: Partial<Qcow2Model>): Uint8Array {
  const { image } = buildQcow2(normaliseQcow2({ ...small, ...changes }));
  return new SegmentSource(image.segments, image.size).read(0, image.size);
}

/** A cluster in which each byte is the same. */
export function fill(index: number, seed: number): Qcow2Model["clusters"][number] {
  return { index, kind: "data", pattern: { kind: "fill", seed } };
}
