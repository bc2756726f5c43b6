/**
 * qcow version 1.
 *
 * The format has no specification. The reference is its first implementation, QEMU's block/qcow.c.
 * Invariants of an image:
 *
 * - A 48-byte header contains the virtual size, the cluster size, the number of entries of an L2 table
 *   and the offset of the L1 table. There are no feature bits, refcounts, extensions or snapshots.
 * - An L1 entry points to an L2 table, and an L2 entry to a cluster. Entries are byte offsets. The only
 *   flag is the highest bit of an L2 entry. An entry of 0 means unallocated: the guest sees the backing
 *   file or zeros.
 * - Tables are at any offset. An uncompressed cluster is at a multiple of 512.
 * - An L2 entry with the highest bit set describes compressed data: below that bit are the length in
 *   bytes, in cluster_bits bits, and the byte offset. The data is one raw deflate stream, never
 *   encrypted.
 * - The last cluster may be partial, and the size is rounded down to a multiple of 512.
 * - Everything past the end of the file reads as zeros, including the header and tables.
 * - Entries for guest offsets past the virtual size are ignored.
 *
 * Four rules are about operations and not about an image, and have no findings:
 * `qcow1.write.sector-aligned` and `qcow1.write.partial-compressed`, which correspond to
 * `qcow1.l2e.sector-aligned` and `qcow1.comp.inflate` for reads, `qcow1.create.size-nonzero`, and
 * `qcow1.check.unsupported`, which every image breaks.
 *
 * @module
 */

export { buildQcow1 } from "./build/build.ts";
export { compressedBytes, contentOf } from "./build/content.ts";
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
