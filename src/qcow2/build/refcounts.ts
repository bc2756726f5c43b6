import { roundDown, type Segment } from "../../bytes/mod.ts";
import { encodeRefcounts } from "../encode/refcounts.ts";
import type { Geometry } from "../geometry.ts";
import type { Extent } from "./extent.ts";

/**
 * References by refcount block and by entry in it, both ascending. Clusters without a reference are
 * absent: a file may have a hole of petabytes.
 */
export type ReferenceCounts = ReadonlyMap<number, ReadonlyMap<number, number>>;

/** The number of references to each host cluster by the header and all placed parts. */
export function countReferences(
  extents: readonly Extent[],
  { clusterSize, refblockEntries }: Geometry,
): ReferenceCounts {
  const counts = new Map<number, Map<number, number>>();
  const add = (cluster: number, refs: number): void => {
    const number = Math.floor(cluster / refblockEntries);
    const block = counts.get(number) ?? new Map<number, number>();
    if (block.size === 0) counts.set(number, block);
    const entry = cluster % refblockEntries;
    block.set(entry, (block.get(entry) ?? 0) + refs);
  };
  add(0, 1);
  for (const { offset, length, refs } of [...extents].sort((a, b) => a.offset - b.offset)) {
    const last = Math.ceil((offset + length) / clusterSize) - 1;
    for (let i = Math.floor(offset / clusterSize); i <= last; i++) add(i, refs);
  }
  return counts;
}

/** So many entries start at a multiple of 8 bytes, whose offset is exact in a file of 2^56 bytes. */
const ALIGNED_ENTRIES = 64;

/** Refcounts that are so many entries apart are in different segments: a block may have 2^24 entries. */
const GAP = 2 ** 16;

/** The bytes of a refcount block: its nonzero refcounts, with those between them. */
export function refblockSegments(
  counts: ReferenceCounts,
  place: { block: number; offset: number; geometry: Geometry },
): Segment[] {
  const { refcountBits } = place.geometry;
  return runsOf([...counts.get(place.block) ?? []]).map((run) => {
    const from = roundDown(run[0]?.[0] ?? 0, ALIGNED_ENTRIES);
    const words = new Uint32Array((run.at(-1)?.[0] ?? 0) + 1 - from);
    for (const [entry, count] of run) words[entry - from] = count;
    return {
      offset: place.offset + from * refcountBits / 8,
      bytes: encodeRefcounts(words, refcountBits),
    };
  });
}

type Refcount = readonly [entry: number, count: number];

/** Refcounts that are less than a gap apart. */
function runsOf(refcounts: readonly Refcount[]): Refcount[][] {
  const runs: Refcount[][] = [];
  let end = -Infinity;
  for (const refcount of refcounts) {
    const [entry] = refcount;
    if (entry - end < GAP) runs.at(-1)?.push(refcount);
    else runs.push([refcount]);
    end = entry;
  }
  return runs;
}
