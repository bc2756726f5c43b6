import { SECTOR } from "../bytes/mod.ts";
import { l1Entry, l2Entry } from "./structures.ts";

/** What follows from cluster_bits and l2_bits. Sizes in bytes. */
export interface Geometry {
  readonly clusterBits: number;
  readonly clusterSize: number;
  /** Entries of one L2 table. */
  readonly l2Entries: number;
  readonly l2Size: number;
  /** Guest bytes that one L1 entry covers. */
  readonly l2Coverage: number;
}

/** The geometry for header values that are sound. */
export function geometryOf(image: { clusterBits: number; l2Bits: number }): Geometry {
  const clusterSize = 2 ** image.clusterBits;
  const l2Entries = 2 ** image.l2Bits;
  return Object.freeze({
    clusterBits: image.clusterBits,
    clusterSize,
    l2Entries,
    l2Size: l2Entries * l2Entry.size,
    l2Coverage: l2Entries * clusterSize,
  });
}

/** L1 entries that a size needs; the size is the header's own, not rounded. */
export function l1Needed(size: bigint, geometry: Geometry): bigint {
  const coverage = BigInt(geometry.l2Coverage);
  return (size + coverage - 1n) / coverage;
}

/** Length in bytes of an L1 table of so many entries. */
export function l1Bytes(entries: number): number {
  return entries * l1Entry.size;
}

/** Bytes that a guest sees: the size rounded down to whole sectors. Exact below 2^62. */
export function guestSize(size: bigint): number {
  return Number(size / BigInt(SECTOR)) * SECTOR;
}
