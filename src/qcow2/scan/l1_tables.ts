import { type ByteSource, isZero } from "../../bytes/mod.ts";
import { EntryTable, type WorkBudget } from "../../format/mod.ts";
import { anyBit, masked } from "../entry_bits.ts";
import type { Geometry } from "../geometry.ts";
import { entryBits } from "../structures.ts";
import type { ClusterRange } from "./candidate.ts";
import type { Reftable } from "./reftables.ts";
import type { TableBlocks } from "./table_blocks.ts";

/** Clusters that are looked at: a hostile file has nothing but tables. */
const TABLES_MAX = 2 ** 16;
/** Clusters of zeros inside a table. */
const GAP_MAX = 2 ** 12;

/** What narrows the search for L1 tables. */
export interface L1Search {
  readonly blocks: TableBlocks;
  readonly reftable: Reftable;
  readonly geometry: Geometry;
  /** Offsets of clusters that are something else. */
  readonly excluded: ReadonlySet<number>;
  readonly work: WorkBudget;
  /** Whether a cluster has the refcount that all L1 tables have, by its offset. */
  readonly isOne: (offset: number) => boolean;
}

/**
 * The L1 tables of a file, the best first: clusters of aligned offsets to which no other table leads.
 * Neighbours are one table.
 */
export function findL1Tables(source: ByteSource, search: L1Search): ClusterRange[] {
  const { clusterSize } = search.geometry;
  const tables = tableClusters(source, search);
  const pointed = new Map<number, { leads: number; copied: number }>();
  const targets = new Set<number>();
  for (const offset of tables) {
    const found = { leads: 0, copied: 0 };
    eachEntry(source, offset, search, (target, copied) => {
      if (tables.has(target)) {
        found.leads++;
        targets.add(target);
      }
      if (copied) found.copied++;
    });
    pointed.set(offset, found);
  }
  // Tables that are something else lead to L2 tables all the same.
  const roots = [...tables].filter((offset) => !targets.has(offset) && !search.excluded.has(offset))
    .sort((a, b) => a - b);
  const ranges: { offset: number; clusters: number; leads: number; copied: number }[] = [];
  for (const offset of roots) {
    const { leads = 0, copied = 0 } = pointed.get(offset) ?? {};
    const last = ranges.at(-1);
    const end = last === undefined ? 0 : last.offset + last.clusters * clusterSize;
    const clusters = (offset - end) / clusterSize + 1;
    if (last !== undefined && isGap(source, end, offset, search)) {
      last.clusters += clusters;
      last.leads += leads;
      last.copied += copied;
    } else ranges.push({ offset, clusters: 1, leads, copied });
  }
  return ranges.sort((a, b) => b.leads - a.leads || b.copied - a.copied);
}

/** Offsets of clusters that consist of aligned offsets. */
function tableClusters(source: ByteSource, search: L1Search): ReadonlySet<number> {
  const { blocks, geometry, isOne, reftable, work } = search;
  const { clusterSize } = geometry;
  const found = new Set<number>();
  const first = clusterSize;
  for (const { start, end } of blocks.runs) {
    const from = Math.max(first, start - start % clusterSize);
    for (
      let offset = from;
      offset < end && found.size < TABLES_MAX && work.left > 0;
      offset += clusterSize
    ) {
      if (found.has(offset) || reftable.blocks.has(offset)) continue;
      if (offset >= reftable.offset && offset < reftable.offset + reftable.clusters * clusterSize) {
        continue;
      }
      if (!isOne(offset)) continue;
      const sound = eachEntry(
        source,
        offset,
        search,
        (target) =>
          target % clusterSize === 0 && target !== offset && target !== reftable.offset &&
          !reftable.blocks.has(target),
      );
      if (sound) found.add(offset);
    }
  }
  return found;
}

/**
 * Calls `visit` with each entry of a cluster.
 *
 * @returns whether all are entries of an L1 table, and `visit` returned `false` for none
 */
function eachEntry(
  source: ByteSource,
  offset: number,
  { geometry: { tableEntries }, work }: L1Search,
  visit: (target: number, copied: boolean) => boolean | void,
): boolean {
  const table = new EntryTable(source, offset, tableEntries);
  work.left -= tableEntries;
  for (let i = table.nextNonZero(0); i < table.length; i = table.nextNonZero(i + 1)) {
    const high = table.high(i);
    const low = table.low(i);
    if (anyBit(high, low, entryBits.l1Reserved)) return false;
    const target = masked(high, low, entryBits.l1Offset);
    if (target === 0 || target >= source.size) return false;
    if (visit(target, anyBit(high, low, entryBits.copied)) === false) return false;
  }
  return true;
}

/** Whether what is between two parts of a table may be a part of it that is not used. */
function isGap(source: ByteSource, from: number, to: number, search: L1Search): boolean {
  const { clusterSize } = search.geometry;
  if ((to - from) / clusterSize > GAP_MAX) return false;
  for (let offset = from; offset < to; offset += clusterSize) {
    if (!search.isOne(offset) || search.excluded.has(offset)) return false;
    if (!isZero(source.read(offset, clusterSize))) return false;
  }
  return true;
}
