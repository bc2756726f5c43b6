import { extendedL2Entry, l1Entry, l2Entry } from "./structures.ts";

/** The subclusters of a cluster in an image with extended L2 entries. */
export const SUBCLUSTERS = 32;

/** The refcount width of version 2 is 2 to this power: 16 bits. */
export const V2_REFCOUNT_ORDER = 4;

/** Values derived from cluster_bits, refcount_order and the kind of L2 entry. Sizes are in bytes. */
export interface Geometry {
  readonly clusterBits: number;
  readonly clusterSize: number;
  readonly extendedL2: boolean;
  readonly l2EntrySize: number;
  /** Entries of one L2 table. */
  readonly l2Entries: number;
  /** Guest bytes that one L1 entry covers. */
  readonly l2Coverage: number;
  /** Subclusters of a cluster: 32, or 1 without extended L2 entries. */
  readonly subclusters: number;
  readonly subclusterSize: number;
  readonly refcountBits: number;
  /** Largest refcount, 2^64 - 1 at most. */
  readonly refcountMax: bigint;
  /** Refcounts of one refcount block. */
  readonly refblockEntries: number;
  /** Entries of one cluster of 64-bit table entries: L1, refcount and bitmap tables. */
  readonly tableEntries: number;
  /** In a compressed descriptor: number of offset bits, which is the first bit of the sector count. */
  readonly compressedShift: number;
}

/** The geometry for valid header values. */
export function geometryOf(
  image: { clusterBits: number; refcountOrder: number; extendedL2: boolean },
): Geometry {
  const { clusterBits, refcountOrder, extendedL2 } = image;
  const clusterSize = 2 ** clusterBits;
  const l2EntrySize = extendedL2 ? extendedL2Entry.size : l2Entry.size;
  const l2Entries = clusterSize / l2EntrySize;
  const subclusters = extendedL2 ? SUBCLUSTERS : 1;
  const refcountBits = 2 ** refcountOrder;
  return Object.freeze({
    clusterBits,
    clusterSize,
    extendedL2,
    l2EntrySize,
    l2Entries,
    l2Coverage: l2Entries * clusterSize,
    subclusters,
    subclusterSize: clusterSize / subclusters,
    refcountBits,
    refcountMax: (1n << BigInt(refcountBits)) - 1n,
    refblockEntries: clusterSize * 8 / refcountBits,
    tableEntries: clusterSize / l1Entry.size,
    compressedShift: 70 - clusterBits,
  });
}

/** Number of L1 entries that a virtual size needs. The size is that of the header, not rounded. */
export function l1Needed(size: bigint, geometry: Geometry): bigint {
  const coverage = BigInt(geometry.l2Coverage);
  return (size + coverage - 1n) / coverage;
}
