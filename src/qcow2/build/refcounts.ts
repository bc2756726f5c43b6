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

/** Refcounts with so many zeros between them are in different segments: a block may have 2^24 entries. */
const GAP = 2 ** 16;

/** The bytes of a refcount block: its nonzero refcounts, with those between them. */
export function refblockSegments(
  counts: ReferenceCounts,
  place: { block: number; offset: number; geometry: Geometry },
): Segment[] {
  const { refcountBits } = place.geometry;
  const entries = [...counts.get(place.block) ?? []];
  const segments: Segment[] = [];
  for (let start = 0, end = 1; start < entries.length; start = end++) {
    while ((entries[end]?.[0] ?? Infinity) - indexIn(entries, end - 1) < GAP) end++;
    const from = roundDown(indexIn(entries, start), ALIGNED_ENTRIES);
    const words = new Uint32Array(indexIn(entries, end - 1) + 1 - from);
    for (const [entry, count] of entries.slice(start, end)) words[entry - from] = count;
    segments.push({
      offset: place.offset + from * refcountBits / 8,
      bytes: encodeRefcounts(words, refcountBits),
    });
  }
  return segments;
}

function indexIn(
  entries: readonly (readonly [index: number, count: number])[],
  at: number,
): number {
  return entries[at]?.[0] ?? 0;
}
