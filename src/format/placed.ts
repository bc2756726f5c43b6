import type { Segment } from "../bytes/mod.ts";
import type { Struct } from "../layout/mod.ts";

/**
 * A structure at its place in a built image, so that edits can name it. `/header/l1_table_offset` is
 * the field of a structure placed at `/header`; `/l2[0]/3/l2_entry` is a field of the fourth element
 * of a table placed at `/l2[0]`.
 */
export interface Placed {
  /** `/header`, `/l1`, `/l2[0]`, `/snapshot[1]/l1`, `/data[5]` … */
  readonly path: string;
  /** Byte offset in the file. */
  readonly offset: number;
  /** Length in bytes. */
  readonly length: number;
  /** Its content: one structure, a table of them, or bytes without fields. */
  readonly struct?: Struct;
  /** For a table: number of elements. Absent for a single structure. */
  readonly count?: number;
  /** Kind of content, so that mutations can prefer tables to data. */
  readonly role: "header" | "table" | "data";
}

/** A built image: its bytes as segments with zeros between them, and the location of its structures. */
export interface BuiltImage {
  /** The bytes that are not zero. */
  readonly segments: readonly Segment[];
  /** Length of the file in bytes. */
  readonly size: number;
  /** The structures and data, with their places. */
  readonly placed: readonly Placed[];
}

/** The bytes of a built file. */
export function fileBytes({ segments, size }: Pick<BuiltImage, "segments" | "size">): Uint8Array {
  const bytes = new Uint8Array(size);
  for (const segment of segments) bytes.set(segment.bytes, segment.offset);
  return bytes;
}

/** The segments cut to a file of the given length, without empty ones. */
export function cutAt(segments: readonly Segment[], size: number): Segment[] {
  return segments.map(({ offset, bytes }) => ({
    offset,
    bytes: bytes.subarray(0, Math.max(0, size - offset)),
  })).filter(({ bytes }) => bytes.length > 0);
}
