/**
 * qcow version 1.
 *
 * The format has no document: what holds is what its first implementation, QEMU's block/qcow.c, does.
 * Invariants of an image:
 *
 * - A 48-byte header says how large the guest's disk and a cluster are, how many entries an L2 table
 *   has, and where the L1 table lies. There are no feature bits, refcounts, extensions or snapshots.
 * - The L1 table has an entry for each stretch of guest bytes that one L2 table covers, and an L2 table
 *   one for each cluster. Entries are byte offsets without flags, but for the highest bit of an L2
 *   entry. 0 means that there is nothing: the backing file shows, or zeros do.
 * - Tables are at any offset. An uncompressed cluster is at a multiple of 512.
 * - An L2 entry with the highest bit set describes compressed data: below that bit cluster_bits bits of
 *   length in bytes, then the byte offset. The data is one raw deflate stream, never encrypted.
 * - The last cluster may be partial, and the size is rounded down to a multiple of 512.
 * - What is beyond the end of the file reads as zeros, header and tables included.
 * - Entries for guest offsets beyond the size mean nothing.
 *
 * Three rules speak of what is done to an image and not of the image itself, and have no findings:
 * `qcow1.write.sector-aligned` and `qcow1.write.partial-compressed`, which say for a write what
 * `qcow1.l2e.sector-aligned` and `qcow1.comp.inflate` say for a read, and `qcow1.create.size-nonzero`.
 * Nor has `qcow1.check.unsupported`, which every image breaks.
 *
 * @module
 */

export { buildQcow1 } from "./build/build.ts";
export { contentOf } from "./build/content.ts";
export { createQcow1, type Qcow1Creation } from "./create/create.ts";
export { qcow1Driver } from "./driver.ts";
export { compressedEntry, type CompressedExtent, compressedExtent, entryOf } from "./entry.ts";
export type {
  ClusterContent,
  GuestCluster,
  LegacyEncryption,
  Placement,
  Qcow1Model,
} from "./model.ts";
export { format as qcow1Format } from "./format.ts";
export { type Qcow1Rule, qcow1Rules } from "./rules.ts";
export { normaliseQcow1 } from "./build/normalise.ts";
export { header, l1Entry, l2Entry, limits, qcow1Structures } from "./structures.ts";
