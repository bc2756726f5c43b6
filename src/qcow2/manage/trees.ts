import { EntryTable } from "../../format/mod.ts";
import { pointerWords, writeWords } from "../encode/entries.ts";
import { masked } from "../entry_bits.ts";
import { classOf, hostOffset } from "../l2_entries.ts";
import { L2Table } from "../l2_tables.ts";
import { entryBits, l1Entry } from "../structures.ts";
import { clustersOf } from "../write/entry_changes.ts";
import type { WritableImage } from "../write/image.ts";
import type { Clusters } from "../write/host.ts";
import type { Transition } from "./transition.ts";

/** The L2 tables that an L1 table refers to, with the index of their entry. */
export function* tablesOf(l1: EntryTable): Generator<[index: number, offset: number]> {
  for (let i = l1.nextNonZero(0); i < l1.length; i = l1.nextNonZero(i + 1)) {
    const offset = masked(l1.high(i), l1.low(i), entryBits.l1Offset);
    if (offset !== 0) yield [i, offset];
  }
}

/** The active L1 table. */
export function activeL1({ store, file: { header } }: WritableImage): EntryTable {
  return new EntryTable(store, Number(header.l1_table_offset), header.l1_size);
}

/** Calls `count` for an L2 table and each sequence of clusters that it refers to. */
export function countTable(
  { context, geometry, store }: WritableImage,
  offset: number,
  count: (clusters: Clusters) => void,
): void {
  count({ first: offset / geometry.clusterSize, count: 1 });
  const table = new L2Table(store, offset, geometry);
  for (let k = table.nextNonZero(0); k < table.stored; k = table.nextNonZero(k + 1)) {
    count(clustersOf(table.entry(k), context));
  }
}

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
      place = transition.store(bytes);
      transition.release(offset, clusterSize);
    }
    const copied = isCopied(place / clusterSize);
    writeWords(result, index * l1Entry.size, pointerWords(place, { copied }));
  }
  return result;
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

/** The first words of L2 entries as they are with other copied flags, and their offset in the file. */
function* wrongFlags(
  { store, context, geometry: { clusterSize }, geometry }: WritableImage,
  offset: number,
  isCopied: (cluster: number) => boolean,
): Generator<[at: number, words: [high: number, low: number]]> {
  const table = new L2Table(store, offset, geometry);
  const { high: flag } = entryBits.copied;
  for (let k = table.nextNonZero(0); k < table.stored; k = table.nextNonZero(k + 1)) {
    const { high, low } = table.entry(k);
    const kind = classOf(high, low, context);
    if (kind !== "normal" && kind !== "zero-allocated") continue;
    const copied = isCopied(hostOffset(high, low) / clusterSize) ? flag : 0;
    if ((high & flag) === copied) continue;
    yield [table.offsetOf(k), [(high & ~flag | copied) >>> 0, low]];
  }
}
