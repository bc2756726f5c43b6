import type { Segment } from "../../bytes/mod.ts";
import {
  ALL_SUBCLUSTERS,
  compressedWords,
  HALF,
  offsetWords,
  pointerWords,
  type Words,
  writeWords,
} from "../encode/entries.ts";
import type { Geometry } from "../geometry.ts";
import { entryBits } from "../structures.ts";
import type { HostCluster, L2Plan, ViewPlan } from "./plan.ts";
import type { RefblockPlan } from "./place.ts";

/** An entry of a table. */
export interface Entry {
  readonly index: number;
  readonly words: Words;
}

/** Runs of this many empty entries or fewer are written out. */
const GAP_MAX = 64;

/**
 * The bytes of a table without long runs of empty entries: a table may have 32 MiB.
 *
 * @param entries by index, ascending
 */
export function tableSegments(offset: number, entries: readonly Entry[]): Segment[] {
  const segments: Segment[] = [];
  for (let from = 0; from < entries.length;) {
    let to = from + 1;
    while (to < entries.length && indexAt(entries, to) - indexAt(entries, to - 1) <= GAP_MAX) to++;
    segments.push(tableSegment(offset, entries.slice(from, to)));
    from = to;
  }
  return segments;
}

function indexAt(entries: readonly Entry[], at: number): number {
  return (entries[at] as Entry).index;
}

function tableSegment(offset: number, entries: readonly Entry[]): Segment {
  const first = indexAt(entries, 0);
  const last = indexAt(entries, entries.length - 1);
  const entrySize = (entries[0] as Entry).words.length * HALF;
  const bytes = new Uint8Array((last - first + 1) * entrySize);
  for (const { index, words } of entries) writeWords(bytes, (index - first) * entrySize, words);
  return { offset: offset + first * entrySize, bytes };
}

/** An L1 table. Only the active one has the copied flag for L2 tables with a single reference. */
export function l1Entries({ tables }: ViewPlan, active: boolean): Entry[] {
  return tables.map(({ l1Index, extent }) => ({
    index: l1Index,
    words: pointerWords(extent.offset, { copied: active && extent.refs === 1 }),
  }));
}

/** An L2 table. */
export function l2Entries(table: L2Plan, geometry: Geometry, active: boolean): Entry[] {
  return table.entries.map(({ index, host }) => ({
    index,
    words: geometry.extendedL2
      ? [...descriptor(host, geometry, active), ...subclusterBitmap(host)]
      : descriptor(host, geometry, active),
  }));
}

/** The first word of an L2 entry. */
function descriptor(host: HostCluster, geometry: Geometry, active: boolean): [number, number] {
  const { cluster, extent } = host;
  const zero = cluster.kind === "zero" || cluster.kind === "zero-allocated";
  const flag = zero && !geometry.extendedL2 ? entryBits.zero.low : 0;
  if (extent === undefined) return [0, flag];
  if (cluster.kind === "compressed") return compressedWords(extent, geometry);
  const [high, low] = pointerWords(extent.offset, { copied: active && extent.refs === 1 });
  return [high, low | flag];
}

/**
 * The second word of an extended L2 entry: the zero bits and the allocation bits of subclusters.
 */
function subclusterBitmap({ cluster }: HostCluster): [number, number] {
  switch (cluster.kind) {
    case "data":
      return [0, ALL_SUBCLUSTERS];
    case "zero":
    case "zero-allocated":
      return [ALL_SUBCLUSTERS, 0];
    case "compressed":
      return [0, 0];
    case "subclusters":
      return [cluster.zero, cluster.allocated];
  }
}

/** The refcount table. */
export function reftableEntries(refblocks: readonly RefblockPlan[]): Entry[] {
  return refblocks.map(({ block, extent }) => ({
    index: block,
    words: offsetWords(extent.offset),
  }));
}

/** A bitmap table. Each entry is the offset of a data cluster, or the value of all its bits. */
export function bitmapTableEntries(table: readonly (number | "zeros" | "ones")[]): Entry[] {
  return table.map((entry, index) => ({
    index,
    words: entry === "zeros"
      ? [0, 0]
      : entry === "ones"
      ? [0, entryBits.bitmapAllOnes.low]
      : offsetWords(entry),
  }));
}
