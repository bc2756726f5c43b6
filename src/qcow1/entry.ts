import type { EntryHalves } from "../format/mod.ts";
import { entryBits } from "./structures.ts";

/** A table entry. */
export type Entry = EntryHalves;

/** The kind of cluster that an L2 entry describes. */
export type ClusterKind = "unallocated" | "data" | "compressed";

/** Location of compressed data. */
export interface CompressedExtent {
  /** Byte offset in the file, below 2^54. */
  readonly offset: number;
  /** Length in bytes: 0 to the cluster size minus 1. */
  readonly length: number;
}

/** The end of the bits for the length of compressed data, just below the compressed flag. */
const LENGTH_END = entryBits.compressed.from;

/** Whether an entry is 0: there is no table or cluster. */
export function isZero({ high, low }: Entry): boolean {
  return (high | low) === 0;
}

/** The kind of an L2 entry. */
export function kindOf(entry: Entry): ClusterKind {
  if ((entry.high & entryBits.compressed.high) !== 0) return "compressed";
  return isZero(entry) ? "unallocated" : "data";
}

/** The entry as one number. */
export function valueOf({ high, low }: Entry): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

/** The halves of a number. */
export function entryOf(value: bigint): Entry {
  return { high: Number(value >> 32n), low: Number(value & 0xffffffffn) };
}

/**
 * An entry as an offset in a number, rounded to 53 significant bits as in JSON. No file is long enough
 * for offsets that do not fit.
 */
export function offsetOf({ high, low }: Entry): number {
  return high * 0x100000000 + low;
}

/** Splits the descriptor of a compressed cluster: cluster_bits bits of length above the offset. */
export function compressedExtent(entry: Entry, clusterBits: number): CompressedExtent {
  const value = valueOf(entry) & entryBits.descriptor.mask;
  const shift = BigInt(LENGTH_END - clusterBits);
  return { offset: Number(value & ((1n << shift) - 1n)), length: Number(value >> shift) };
}

/** The first offset that the descriptor of a compressed cluster cannot name. */
export function compressedEnd(clusterBits: number): number {
  return 2 ** (LENGTH_END - clusterBits);
}

/** The L2 entry for compressed data; the inverse of {@link compressedExtent}. */
export function compressedEntry(extent: CompressedExtent, clusterBits: number): bigint {
  const length = BigInt(extent.length) << BigInt(LENGTH_END - clusterBits);
  return entryBits.compressed.mask | length | BigInt(extent.offset);
}
