import { SECTOR } from "../bytes/mod.ts";
import { l1Entry, l2Entry } from "./structures.ts";

/** Values derived from cluster_bits and l2_bits. Sizes are in bytes. */
export interface Geometry {
  readonly clusterBits: number;
  readonly clusterSize: number;
  /** Entries of one L2 table. */
  readonly l2Entries: number;
  readonly l2Size: number;
  /** Guest bytes that one L1 entry covers. */
  readonly l2Coverage: number;
}

/** The geometry for valid header values. */
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

/** Number of L1 entries that a size needs. The size is that of the header, not rounded. */
export function l1Needed(size: bigint, geometry: Geometry): bigint {
  const coverage = BigInt(geometry.l2Coverage);
  return (size + coverage - 1n) / coverage;
}

/** Length in bytes of an L1 table with the given number of entries. */
export function l1Bytes(entries: number): number {
  return entries * l1Entry.size;
}

/** Length of the guest's disk: the size rounded down to whole sectors. Exact below 2^62. */
export function guestSize(size: bigint): number {
  return Number(size / BigInt(SECTOR)) * SECTOR;
}
