import { SECTOR } from "../../bytes/mod.ts";
import { bitMask } from "../../layout/mod.ts";
import type { Geometry } from "../geometry.ts";
import { entryBits, extendedL2Entry } from "../structures.ts";

/** A table entry as the halves of its 64-bit words: high, low, and for a second word high, low. */
export type Words = readonly number[];

/** Bytes in half a word. */
export const HALF = 4;

/** All 32 subclusters. */
export const ALL_SUBCLUSTERS: number =
  bitMask(extendedL2Entry, "subcluster_bitmap", "allocated").low;

/** An offset as an entry. Offsets are below 2^53. */
export function offsetWords(offset: number): [high: number, low: number] {
  return [Math.floor(offset / 2 ** 32), offset >>> 0];
}

/** An entry that points to a table or a cluster. */
export function pointerWords(
  offset: number,
  { copied }: { copied: boolean },
): [high: number, low: number] {
  const [high, low] = offsetWords(offset);
  return [high | (copied ? entryBits.copied.high : 0), low];
}

/** The entry of compressed data. It stores the number of sectors after the first. */
export function compressedWords(
  { offset, length }: { offset: number; length: number },
  { compressedShift }: Geometry,
): [high: number, low: number] {
  const sectors = Math.floor((offset + length - 1) / SECTOR) - Math.floor(offset / SECTOR);
  const [high, low] = offsetWords(offset);
  // The sector count starts above bit 48, and offsets in real files fit below it.
  return [high | sectors << (compressedShift - 32) | entryBits.compressed.high, low];
}

/** Writes an entry at byte `at`. */
export function writeWords(target: Uint8Array, at: number, words: Words): void {
  const view = new DataView(target.buffer, target.byteOffset);
  words.forEach((word, index) => view.setUint32(at + index * HALF, word));
}
