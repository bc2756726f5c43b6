import { hex, SECTOR } from "../bytes/mod.ts";
import { knownBroken } from "../layout/mod.ts";
import type { Geometry } from "./geometry.ts";
import type { Broken, FoundRule } from "./findings.ts";
import { anyBit, joined, masked, wordOf } from "./entry_bits.ts";
import { entryBits, l2Entry } from "./structures.ts";

/** The kind of cluster that an L2 entry describes, with QEMU's names (qcow2_get_cluster_type). */
export type EntryClass = "unallocated" | "zero-plain" | "zero-allocated" | "normal" | "compressed";

/** An L2 entry as two halves, and the subcluster bitmap if there is one. */
export interface L2Entry {
  readonly high: number;
  readonly low: number;
  /** Bit x: subcluster x is allocated. */
  readonly allocated: number;
  /** Bit x: subcluster x reads as zeros. */
  readonly zero: number;
}

/** The entry of a cluster that is not allocated. */
export const NO_ENTRY: L2Entry = Object.freeze({ high: 0, low: 0, allocated: 0, zero: 0 });

/** Properties of the image that determine the meaning of an entry. */
export interface EntryContext {
  readonly geometry: Geometry;
  readonly version: number;
  /** Guest clusters are in an external data file. */
  readonly dataFile: boolean;
}

/** The class of an entry. The order of the tests is QEMU's. */
export function classOf(high: number, low: number, context: EntryContext): EntryClass {
  if ((high & entryBits.compressed.high) !== 0) return "compressed";
  const hasOffset = anyBit(high, low, entryBits.l2Offset);
  if ((low & entryBits.zero.low) !== 0 && !context.geometry.extendedL2) {
    return hasOffset ? "zero-allocated" : "zero-plain";
  }
  if (hasOffset) return "normal";
  // In an external data file, offset 0 is valid. The copied flag distinguishes it from no cluster.
  return context.dataFile && (high & entryBits.copied.high) !== 0 ? "normal" : "unallocated";
}

/** Byte offset of the cluster of a standard entry. */
export function hostOffset(high: number, low: number): number {
  return masked(high, low, entryBits.l2Offset);
}

/** Location of compressed data. */
export interface CompressedRange {
  /** Byte offset, exact below 2^53. Files are not longer than that. */
  readonly offset: number;
  /** Bytes from there to the end of the last sector. */
  readonly length: number;
  /** The bits of the offset above bit 55, which must be zero. */
  readonly excess: boolean;
}

/** Highest bit that may be set in an offset. */
const OFFSET_BITS = 56;

/** Splits a compressed descriptor into offset and length (qcow2_parse_compressed_l2_entry). */
export function compressedRange(high: number, low: number, geometry: Geometry): CompressedRange {
  const highBits = geometry.compressedShift - 32;
  const offsetHigh = high & (2 ** highBits - 1);
  const sectors = (high & (entryBits.compressed.high - 1)) >>> highBits;
  const offset = joined(offsetHigh >>> 0, low);
  return {
    offset,
    length: (sectors + 1) * SECTOR - (low % SECTOR),
    excess: highBits > OFFSET_BITS - 32 && offsetHigh >>> (OFFSET_BITS - 32) !== 0,
  };
}

/** Position of an entry: guest cluster offset in bytes, path and host offset of the entry. */
export interface EntryPlace {
  readonly guest: number;
  readonly path: string;
  readonly offset: number;
}

/**
 * The reason why an access to the cluster fails, if it does (qcow2_get_host_offset). QEMU checks an
 * entry as a whole, so that valid subclusters fail too.
 */
export function entryProblem(
  entry: L2Entry,
  context: EntryContext,
  place: EntryPlace,
): Broken | undefined {
  const { high, low } = entry;
  const { clusterSize } = context.geometry;
  const kind = classOf(high, low, context);
  const broken = (rule: FoundRule, message: string): Broken => ({ rule, place, message });
  const brokenBy = (rule: FoundRule): Broken =>
    knownBroken(l2Entry, { l2_entry: wordOf(high, low) }, {
      context: { "cluster size": clusterSize, "in version 2": context.version < 3 },
      place,
      rule,
    });
  if (context.version < 3 && (kind === "zero-plain" || kind === "zero-allocated")) {
    return brokenBy("qcow2.l2e.zero-v2");
  }
  if (kind === "compressed") {
    if (!context.dataFile) return undefined;
    return broken("qcow2.l2e.compressed-datafile", "Compressed cluster with an external data file");
  }
  if (context.geometry.extendedL2) {
    const conflict = subclusterProblem(entry, kind);
    if (conflict !== undefined) return broken(...conflict);
  }
  if (kind === "unallocated" || kind === "zero-plain") return undefined;
  const host = hostOffset(high, low);
  if (host % clusterSize !== 0) return brokenBy("qcow2.l2e.aligned");
  if (context.dataFile && host !== place.guest) {
    return broken(
      "qcow2.l2e.datafile-identity",
      `The cluster is at ${hex(host)} of the data file, not at its guest offset ${
        hex(place.guest)
      }`,
    );
  }
  return undefined;
}

function subclusterProblem(entry: L2Entry, kind: EntryClass): [FoundRule, string] | undefined {
  if (kind === "normal" && (entry.allocated & entry.zero) !== 0) {
    const both = (entry.allocated & entry.zero) >>> 0;
    return ["qcow2.l2e.subcluster-alloc-zero", `Subclusters ${hex(both)} are allocated and zero`];
  }
  if (kind === "unallocated" && entry.allocated !== 0) {
    return [
      "qcow2.l2e.subcluster-alloc-unalloc",
      `Subclusters ${hex(entry.allocated >>> 0)} are allocated, but the entry has no offset`,
    ];
  }
  return undefined;
}
