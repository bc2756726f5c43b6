import { type ByteSource, readUpTo } from "../bytes/mod.ts";
import { annotate, type Struct } from "../layout/mod.ts";
import type { AnatomyRow } from "./anatomy.ts";
import { quotedName } from "./names.ts";

/** Longest text that is shown, in bytes. */
const SHOWN = 1024;

/** The fields of a structure as rows. Bytes past the end of the file are zeros. */
export function structRows(
  struct: Struct,
  source: ByteSource,
  place: { offset: number; path: string },
): AnatomyRow[] {
  const stored = source.read(place.offset, struct.size);
  return annotate(struct, stored, place).map((row) => ({ ...row, length: row.bytes.length }));
}

/** Unstructured text as a row; no row if it is empty. */
export function textRows(
  source: ByteSource,
  place: { offset: number; length: number; path: string },
  doc: string,
): AnatomyRow[] {
  if (place.length === 0) return [];
  const bytes = readUpTo(source, place.offset, Math.min(place.length, SHOWN));
  return [{ ...place, bytes, value: quotedName(bytes), doc }];
}

/** Unstructured bytes as a row; no row if there are none. */
export function bytesRows(
  source: ByteSource,
  place: { offset: number; length: number; path: string },
  doc: string,
): AnatomyRow[] {
  if (place.length === 0) return [];
  const bytes = readUpTo(source, place.offset, Math.min(place.length, SHOWN));
  return [{ ...place, bytes, value: `${place.length} bytes`, doc }];
}
