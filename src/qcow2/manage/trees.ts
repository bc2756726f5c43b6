import type { EntryTable } from "../../format/mod.ts";
import { pointerWords, writeWords } from "../encode/entries.ts";
import { l1Entry } from "../structures.ts";
import type { WritableImage } from "../write/image.ts";
import { storeTable } from "../write/tables.ts";
import { activeL1, countTable, tablesOf, wrongFlags } from "../write/walk.ts";
import type { Transition } from "./transition.ts";

/** Adds the references of an L1 table to its L2 tables and of these to clusters, or removes them. */
export function countTree(
  image: WritableImage,
  l1: EntryTable,
  { transition, delta }: { transition: Transition; delta: 1 | -1 },
): void {
  for (const [, offset] of tablesOf(l1)) {
    countTable(image, offset, (clusters) => transition.count(clusters, delta));
  }
}

/**
 * Writes new copies of the L2 tables in which copied flags change.
 *
 * @param isCopied the flag for a cluster
 * @returns an L1 table that refers to them
 */
export function retabled(
  image: WritableImage,
  { transition, l1, entries, isCopied }: {
    transition: Transition;
    l1: EntryTable;
    /** The length of the new table. */
    entries: number;
    isCopied(cluster: number): boolean;
  },
): Uint8Array {
  const { clusterSize } = image.geometry;
  const result = new Uint8Array(entries * l1Entry.size);
  for (const [index, offset] of tablesOf(l1)) {
    let place = offset;
    const bytes = withFlags(image, offset, isCopied);
    if (bytes !== undefined) {
      place = storeTable(image, bytes);
      transition.release(offset, clusterSize);
    }
    const copied = isCopied(place / clusterSize);
    writeWords(result, index * l1Entry.size, pointerWords(place, { copied }));
  }
  return result;
}

/** Writes a new active L1 table, and releases the one that it replaces. */
export function replacedL1(
  image: WritableImage,
  transition: Transition,
  bytes: Uint8Array,
): { readonly l1_table_offset: bigint; readonly l1_size: number } {
  const old = activeL1(image);
  const offset = storeTable(image, bytes);
  transition.release(old.offset, old.length * l1Entry.size);
  return { l1_table_offset: BigInt(offset), l1_size: bytes.length / l1Entry.size };
}

/** An L2 table with other copied flags; `undefined` if it has them already. */
function withFlags(
  image: WritableImage,
  offset: number,
  isCopied: (cluster: number) => boolean,
): Uint8Array | undefined {
  const { store, geometry } = image;
  let bytes: Uint8Array | undefined;
  for (const [at, words] of wrongFlags(image, offset, isCopied)) {
    bytes ??= store.read(offset, geometry.clusterSize).slice();
    writeWords(bytes, at - offset, words);
  }
  return bytes;
}

/** Clears the copied flags of an L2 table that the active L1 table does not refer to. */
export function clearFlags(image: WritableImage, offset: number): void {
  for (const [at, words] of wrongFlags(image, offset, () => false)) image.setWords(at, words);
}
