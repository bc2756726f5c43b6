/**
 * qcow2, versions 2 and 3.
 *
 * Invariants of a sound image:
 *
 * - The file is made of host clusters. The first one holds the header, its extensions and the backing
 *   file name, and nothing else.
 * - Every host cluster's refcount says how many references lead to it: from the header, from tables,
 *   from snapshots and bitmaps, and from refcount blocks to themselves.
 * - A guest cluster is found through the L1 and an L2 table. Both are whole clusters at cluster
 *   boundaries; compressed data alone lies anywhere.
 * - The copied flag in the active tables says that the refcount is exactly 1.
 * - Version 2 knows no feature bits, no zero clusters and no refcount width but 16.
 * - With an external data file, host offset and guest offset are the same, nothing is compressed and
 *   there are no snapshots.
 *
 * @module
 */

export { qcow2Driver } from "./driver.ts";
export { format as qcow2Format } from "./format.ts";
export { type Qcow2Rule, qcow2Rules } from "./rules.ts";
export { Qcow2Layer } from "./layer.ts";
export { type Geometry, geometryOf, l1Needed } from "./geometry.ts";
export type {
  BackingModel,
  BitmapModel,
  ClusterContent,
  EncryptionModel,
  GuestCluster,
  LegacyEncryption,
  LuksEncryption,
  Placement,
  Qcow2Model,
  SnapshotModel,
  UnknownExtension,
} from "./model.ts";
export {
  DRAFT_LUKS_EXTENSION,
  encryptionPointer,
  entryBits,
  extensionTypes,
  features,
  header,
  l1Entry,
  limits,
  qcow2Structures,
  QCOW_MAGIC,
  snapshotHead,
} from "./structures.ts";
