import type { Segment } from "../../bytes/mod.ts";
import type { Geometry } from "../geometry.ts";
import type { Extent } from "./extent.ts";

/** References to each host cluster: its header's, and those of whatever was placed. */
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

/** Which refcount blocks hold a refcount that is not 0, ascending. */
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

/** The bytes of a refcount block from its first refcount to its last that is not 0. */
export function refblockSegment(
  counts: Uint32Array,
  place: { block: number; offset: number; geometry: Geometry },
): Segment | undefined {
  const { refblockEntries, refcountBits } = place.geometry;
  const start = place.block * refblockEntries;
  let end = Math.min(counts.length, start + refblockEntries);
  while (end > start && counts[end - 1] === 0) end--;
  if (end <= start) return undefined;
  const entries = counts.subarray(start, end);
  const bytes = refcountBits < 8 ? packed(entries, refcountBits) : wide(entries, refcountBits / 8);
  return { offset: place.offset, bytes };
}

/** Refcounts of less than a byte, the first of them in the lowest bits. */
function packed(entries: Uint32Array, bits: number): Uint8Array {
  const perByte = 8 / bits;
  const bytes = new Uint8Array(Math.ceil(entries.length / perByte));
  for (let i = 0; i < entries.length; i++) {
    const at = Math.floor(i / perByte);
    bytes[at] = (bytes[at] as number) | (entries[i] as number) << (i % perByte * bits);
  }
  return bytes;
}

/** Refcounts of `width` bytes; counts here never need more than four. */
function wide(entries: Uint32Array, width: number): Uint8Array {
  const bytes = new Uint8Array(entries.length * width);
  for (let i = 0; i < entries.length; i++) {
    let rest = entries[i] as number;
    for (let at = (i + 1) * width - 1; rest !== 0; at--, rest >>>= 8) bytes[at] = rest;
  }
  return bytes;
}
