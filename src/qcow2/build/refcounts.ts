import type { Segment } from "../../bytes/mod.ts";
import { encodeRefcounts } from "../encode/refcounts.ts";
import type { Geometry } from "../geometry.ts";
import type { Extent } from "./extent.ts";

/** The number of references to each host cluster by the header and all placed parts. */
export function countReferences(
  extents: readonly Extent[],
  { clusters, clusterSize }: { clusters: number; clusterSize: number },
): Uint32Array {
  const counts = new Uint32Array(clusters);
  counts[0] = 1;
  for (const { offset, length, refs } of extents) {
    const last = Math.floor((offset + length - 1) / clusterSize);
    for (let i = Math.floor(offset / clusterSize); i <= last; i++) {
      counts[i] = (counts[i] as number) + refs;
    }
  }
  return counts;
}

/** The numbers of the refcount blocks with a nonzero refcount, ascending. */
export function blocksNeeded(counts: Uint32Array, { refblockEntries }: Geometry): number[] {
  const needed: number[] = [];
  for (let at = 0; at < counts.length; at++) {
    if (counts[at] === 0) continue;
    const block = Math.floor(at / refblockEntries);
    needed.push(block);
    at = (block + 1) * refblockEntries - 1;
  }
  return needed;
}

/** The bytes of a refcount block from its first to its last nonzero refcount. */
export function refblockSegment(
  counts: Uint32Array,
  place: { block: number; offset: number; geometry: Geometry },
): Segment | undefined {
  const { refblockEntries, refcountBits } = place.geometry;
  const start = place.block * refblockEntries;
  let end = Math.min(counts.length, start + refblockEntries);
  while (end > start && counts[end - 1] === 0) end--;
  if (end <= start) return undefined;
  const bytes = encodeRefcounts(counts.subarray(start, end), refcountBits);
  return { offset: place.offset, bytes };
}
