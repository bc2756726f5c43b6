import type { Segment } from "../../bytes/mod.ts";
import { type Geometry, SECTOR } from "../geometry.ts";
import { entryBits } from "../structures.ts";
import { ALL_SUBCLUSTERS } from "./clusters.ts";
import type { HostCluster, L2Plan, ViewPlan } from "./plan.ts";
import type { RefblockPlan } from "./place.ts";

/** An entry of a table, in halves of 64-bit words: high, low, and of a second word high, low. */
export interface Entry {
  readonly index: number;
  readonly words: readonly number[];
}

const HALF = 4;
/** Entries of zeros that are rather written than left out. */
const GAP_MAX = 64;

/**
 * The bytes of a table, without long runs of empty entries: a table may be as long as 32 MiB.
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
  const view = new DataView(bytes.buffer);
  for (const { index, words } of entries) {
    let at = (index - first) * entrySize;
    for (const word of words) {
      view.setUint32(at, word);
      at += HALF;
    }
  }
  return { offset: offset + first * entrySize, bytes };
}

/** The halves of an offset in an entry; offsets are below 2^53. */
function halves(offset: number): [high: number, low: number] {
  return [Math.floor(offset / 2 ** 32), offset >>> 0];
}

/** An L1 table; only the active one says which L2 tables have a single reference. */
export function l1Entries({ tables }: ViewPlan, active: boolean): Entry[] {
  return tables.map(({ l1Index, extent }) => {
    const [high, low] = halves(extent.offset);
    const copied = active && extent.refs === 1 ? entryBits.copied.high : 0;
    return { index: l1Index, words: [high | copied, low] };
  });
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
  const [high, low] = halves(extent.offset);
  if (cluster.kind === "compressed") {
    const { offset, length } = extent;
    const sectors = Math.floor((offset + length - 1) / SECTOR) - Math.floor(offset / SECTOR);
    // The sector count starts above bit 48, and the offsets of real files end below.
    return [high | sectors << (geometry.compressedShift - 32) | entryBits.compressed.high, low];
  }
  const copied = active && extent.refs === 1 ? entryBits.copied.high : 0;
  return [high | copied, low | flag];
}

/** The second word of an extended L2 entry: which subclusters are zeros, and which are allocated. */
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
  return refblocks.map(({ block, extent }) => ({ index: block, words: halves(extent.offset) }));
}

/** A bitmap table, of which each entry is a data cluster's offset, or tells what all bits are. */
export function bitmapTableEntries(table: readonly (number | "zeros" | "ones")[]): Entry[] {
  return table.map((entry, index) => ({
    index,
    words: entry === "zeros"
      ? [0, 0]
      : entry === "ones"
      ? [0, entryBits.bitmapAllOnes.low]
      : halves(entry),
  }));
}
