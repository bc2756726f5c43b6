import { EntryTable } from "../../format/mod.ts";
import type { BitMask } from "../../layout/mod.ts";
import { masked } from "../entry_bits.ts";
import {
  classOf,
  compressedRange,
  type EntryContext,
  hostOffset,
  type L2Entry,
} from "../l2_entries.ts";
import { L2Table } from "../l2_tables.ts";
import { entryBits } from "../structures.ts";
import type { Clusters, HostFile } from "./host.ts";

/** The offsets in the entries of a table that have one, with the index of the entry. */
export function* offsetsIn(
  table: EntryTable,
  bits: BitMask,
): Generator<[index: number, offset: number]> {
  for (let i = table.nextNonZero(0); i < table.length; i = table.nextNonZero(i + 1)) {
    const offset = masked(table.high(i), table.low(i), bits);
    if (offset !== 0) yield [i, offset];
  }
}

/** The L2 tables that an L1 table refers to, with the index of their entry. */
export function tablesOf(l1: EntryTable): Generator<[index: number, offset: number]> {
  return offsetsIn(l1, entryBits.l1Offset);
}

/** The L1 table that the header or a snapshot refers to. */
export function l1Of(
  { store }: HostFile,
  { l1_table_offset, l1_size }: { readonly l1_table_offset: bigint; readonly l1_size: number },
): EntryTable {
  return new EntryTable(store, Number(l1_table_offset), l1_size);
}

/** The active L1 table. */
export function activeL1(image: HostFile): EntryTable {
  return l1Of(image, image.file.header);
}

/** The refcount table. */
export function refcountTable(
  { store, file: { header }, geometry: { tableEntries } }: HostFile,
): EntryTable {
  const entries = header.refcount_table_clusters * tableEntries;
  return new EntryTable(store, Number(header.refcount_table_offset), entries);
}

/** The refcount blocks, with the index of their entry in the refcount table. */
export function blocksOf(image: HostFile): Generator<[index: number, offset: number]> {
  return offsetsIn(refcountTable(image), entryBits.refblockOffset);
}

/** An image whose L2 entries are read. */
interface WalkedImage extends HostFile {
  readonly context: EntryContext;
}

/** The host clusters that an entry has references to. */
export function clustersOf(
  { high, low }: L2Entry,
  context: EntryContext,
): Clusters {
  const { clusterSize } = context.geometry;
  const kind = classOf(high, low, context);
  if (context.dataFile || kind === "unallocated" || kind === "zero-plain") {
    return { first: 0, count: 0 };
  }
  if (kind !== "compressed") return { first: hostOffset(high, low) / clusterSize, count: 1 };
  const { offset, length } = compressedRange(high, low, context.geometry);
  const first = Math.floor(offset / clusterSize);
  return { first, count: Math.floor((offset + length - 1) / clusterSize) + 1 - first };
}

/** Calls `count` for an L2 table and each sequence of clusters that it refers to. */
export function countTable(
  { context, geometry, store }: WalkedImage,
  offset: number,
  count: (clusters: Clusters) => void,
): void {
  count({ first: offset / geometry.clusterSize, count: 1 });
  const table = new L2Table(store, offset, geometry);
  for (let k = table.nextNonZero(0); k < table.stored; k = table.nextNonZero(k + 1)) {
    count(clustersOf(table.entry(k), context));
  }
}

/** The words of an entry with another copied flag; `undefined` if it has that already. */
export function flagged(
  { high, low }: { readonly high: number; readonly low: number },
  copied: boolean,
): [high: number, low: number] | undefined {
  const { high: flag } = entryBits.copied;
  if (((high & flag) !== 0) === copied) return undefined;
  return [(high ^ flag) >>> 0, low];
}

/** The first words of L2 entries as they are with other copied flags, and their offset in the file. */
export function* wrongFlags(
  { store, context, geometry: { clusterSize }, geometry }: WalkedImage,
  offset: number,
  isCopied: (cluster: number) => boolean,
): Generator<[at: number, words: [high: number, low: number]]> {
  const table = new L2Table(store, offset, geometry);
  for (let k = table.nextNonZero(0); k < table.stored; k = table.nextNonZero(k + 1)) {
    const { high, low } = table.entry(k);
    const kind = classOf(high, low, context);
    if (kind !== "normal" && kind !== "zero-allocated") continue;
    const cluster = Math.floor(hostOffset(high, low) / clusterSize);
    const words = flagged({ high, low }, isCopied(cluster));
    if (words !== undefined) yield [table.offsetOf(k), words];
  }
}
