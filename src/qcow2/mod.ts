/**
 * qcow2, versions 2 and 3.
 *
 * Invariants of a valid image:
 *
 * - The file consists of host clusters. The first one contains only the header, its extensions and the
 *   backing file name.
 * - The refcount of a host cluster is the number of references to it: from the header, tables,
 *   snapshots and bitmaps, and from refcount blocks to themselves.
 * - A guest cluster is found through the L1 table and an L2 table. Both are aligned to clusters. Only
 *   compressed data may be at any offset.
 * - In the active tables, the copied flag is set if and only if the refcount is exactly 1.
 * - Version 2 has no feature bits and no zero clusters, and its refcounts have 16 bits.
 * - With an external data file, host offset and guest offset are equal, and there are no compressed
 *   clusters and no snapshots.
 *
 * @module
 */

export { qcow2Driver } from "./driver.ts";
export { format as qcow2Format } from "./format.ts";
export { type Qcow2Rule, qcow2Rules } from "./rules.ts";
export { Qcow2Layer } from "./layer.ts";
export { type Geometry, geometryOf, l1Needed } from "./geometry.ts";
export {
  type BackingModel,
  type BitmapModel,
  type ClusterContent,
  type EncryptionModel,
  type GuestCluster,
  type LegacyEncryption,
  type LuksEncryption,
  type Placement,
  type Qcow2Model,
  type SnapshotModel,
  type UnknownExtension,
  type ZstdFrames,
  zstdFrames,
} from "./model.ts";
export {
  DRAFT_LUKS_EXTENSION,
  encryptionPointer,
  entryBits,
  extensionTypes,
  features,
  header,
  l1Entry,
  l2Entry,
  limits,
  qcow2Structures,
  QCOW_MAGIC,
  snapshotExtra,
  snapshotHead,
} from "./structures.ts";
export { NO_ICOUNT } from "./snapshots.ts";
