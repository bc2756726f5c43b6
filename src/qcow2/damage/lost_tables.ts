import type { ByteSource } from "../../bytes/mod.ts";
import type { Geometry } from "../geometry.ts";
import { compressedRange, hostOffset } from "../l2_entries.ts";
import { L2Table } from "../l2_tables.ts";
import { entryBits } from "../structures.ts";

/** An L2 table that is there, and to which no L1 entry leads. */
export interface LostTable {
  /** Byte offset in the file. */
  readonly offset: number;
  /** Number of leaked clusters that it leads to. */
  readonly children: number;
}

/** Bytes of leaked clusters that are read. */
const READ_MAX = 2 ** 26;
/** Entries of a table that lead to leaked clusters, of all that are not 0. */
const SHARE_MIN = 0.9;

/**
 * The L2 tables among leaked clusters: those of which nearly every entry leads to another leaked cluster.
 *
 * @param leaks numbers of clusters, in order
 */
export function lostTables(
  leaks: readonly number[],
  { source, geometry }: { source: ByteSource; geometry: Geometry },
): LostTable[] {
  const { clusterSize } = geometry;
  const leaked = new Set(leaks);
  const found: { cluster: number; children: number }[] = [];
  // What a guest stored may look like a table too: a disk image, for one.
  const data = new Set<number>();
  for (const cluster of leaks.slice(0, Math.ceil(READ_MAX / clusterSize))) {
    const table = new L2Table(source, cluster * clusterSize, geometry);
    const children = childrenOf(table, { geometry, leaked });
    if (children.size > 0) found.push({ cluster, children: children.size });
    for (const child of children) data.add(child);
  }
  return found.filter(({ cluster }) => !data.has(cluster))
    .map(({ cluster, children }) => ({ offset: cluster * clusterSize, children }));
}

/** The leaked clusters that a table leads to; none if it does not look like a table. */
function childrenOf(
  table: L2Table,
  { geometry, leaked }: { geometry: Geometry; leaked: ReadonlySet<number> },
): ReadonlySet<number> {
  const children = new Set<number>();
  let [entries, fitting] = [0, 0];
  for (let index = table.nextNonZero(0); index < table.stored;) {
    const { offset, length } = targetOf(table, index, geometry);
    const clusters = clustersIn(offset, length, geometry);
    if (offset !== 0) entries++;
    if (offset !== 0 && clusters.every((cluster) => leaked.has(cluster))) {
      fitting++;
      for (const cluster of clusters) children.add(cluster);
    }
    // Data of a guest is no table: it need not be read to its end.
    if (entries - fitting > 16 && fitting < SHARE_MIN * entries) break;
    index = table.nextNonZero(index + 1);
  }
  return fitting >= SHARE_MIN * entries ? children : new Set();
}

/** What an entry leads to; offset 0 for nothing. */
function targetOf(
  table: L2Table,
  index: number,
  geometry: Geometry,
): { offset: number; length: number } {
  const high = table.high(index);
  const low = table.low(index);
  if ((high & entryBits.compressed.high) !== 0) return compressedRange(high, low, geometry);
  return { offset: hostOffset(high, low), length: geometry.clusterSize };
}

/** The clusters of a range of the file. A compressed range ends with a sector that may be short. */
function clustersIn(offset: number, length: number, { clusterSize }: Geometry): number[] {
  const first = Math.floor(offset / clusterSize);
  const count = Math.min(3, Math.floor((offset + length - 1) / clusterSize) - first + 1);
  return Array.from({ length: count }, (_, i) => first + i);
}
