import { bitMask, boundOf, rangeOf, reservedMask, type Struct } from "../layout/mod.ts";
import { bitmapHead, bitmapsExtension, bitmapTableEntry } from "./structures/bitmaps.ts";
import { extendedL2Entry, l1Entry, l2Entry, refcountTableEntry } from "./structures/entries.ts";
import { encryptionPointer, extensionHead, featureName } from "./structures/extensions.ts";
import { header, headerV2, headerV3Minimal } from "./structures/header.ts";
import { snapshotExtra, snapshotHead } from "./structures/snapshots.ts";

export {
  bitmapHead,
  bitmapsExtension,
  bitmapTableEntry,
  bitmapTypes,
} from "./structures/bitmaps.ts";
export { extendedL2Entry, l1Entry, l2Entry, refcountTableEntry } from "./structures/entries.ts";
export {
  DRAFT_LUKS_EXTENSION,
  encryptionPointer,
  extensionHead,
  extensionTypes,
  featureName,
  featureTypes,
} from "./structures/extensions.ts";
export {
  compressionTypes,
  cryptMethods,
  header,
  headerV2,
  headerV3Minimal,
  incompatibleBits,
  QCOW_MAGIC,
} from "./structures/header.ts";
export { snapshotExtra, snapshotHead } from "./structures/snapshots.ts";

/** Every structure of qcow2. */
export const qcow2Structures: readonly Struct[] = [
  headerV2,
  headerV3Minimal,
  header,
  extensionHead,
  featureName,
  bitmapsExtension,
  encryptionPointer,
  snapshotHead,
  snapshotExtra,
  bitmapHead,
  l1Entry,
  l2Entry,
  extendedL2Entry,
  refcountTableEntry,
  bitmapTableEntry,
];

/** Masks of the features, by name. */
export const features = {
  dirty: bitMask(header, "incompatible_features", "dirty").mask,
  corrupt: bitMask(header, "incompatible_features", "corrupt").mask,
  dataFile: bitMask(header, "incompatible_features", "external-data-file").mask,
  compressionType: bitMask(header, "incompatible_features", "compression-type").mask,
  extendedL2: bitMask(header, "incompatible_features", "extended-l2").mask,
  unknownIncompatible: bitMask(header, "incompatible_features", "reserved").mask,
  lazyRefcounts: bitMask(header, "compatible_features", "lazy-refcounts").mask,
  unknownCompatible: bitMask(header, "compatible_features", "reserved").mask,
  bitmaps: bitMask(header, "autoclear_features", "bitmaps").mask,
  rawExternal: bitMask(header, "autoclear_features", "raw-external-data").mask,
  unknownAutoclear: bitMask(header, "autoclear_features", "reserved").mask,
} as const;

/** Masks of the bits in table entries. */
export const entryBits = {
  l1Offset: bitMask(l1Entry, "l1_entry", "offset"),
  l1Reserved: reservedMask(l1Entry, "l1_entry"),
  l2Offset: bitMask(l2Entry, "l2_entry", "offset"),
  l2Reserved: reservedMask(l2Entry, "l2_entry"),
  zero: bitMask(l2Entry, "l2_entry", "zero"),
  compressed: bitMask(l2Entry, "l2_entry", "compressed"),
  copied: bitMask(l2Entry, "l2_entry", "copied"),
  refblockOffset: bitMask(refcountTableEntry, "refcount_table_entry", "offset"),
  refblockReserved: reservedMask(refcountTableEntry, "refcount_table_entry"),
  bitmapOffset: bitMask(bitmapTableEntry, "bitmap_table_entry", "offset"),
  bitmapReserved: reservedMask(bitmapTableEntry, "bitmap_table_entry"),
  bitmapAllOnes: bitMask(bitmapTableEntry, "bitmap_table_entry", "all_ones"),
} as const;

/** Limits of the format and of QEMU, from the descriptions. Lengths are in bytes. */
export const limits = {
  /** The first offset that is too large for a table entry. */
  offsetEnd: (entryBits.l2Offset.high + 1) * 2 ** 32,
  clusterBits: rangeOf(header, "cluster_bits"),
  /** Smallest cluster_bits with extended L2 entries. */
  extendedClusterBits: boundOf(header, "qcow2.header.extl2-cluster-min"),
  refcountOrder: rangeOf(header, "refcount_order").max,
  backingName: rangeOf(header, "backing_file_size").max,
  backingFormat: boundOf(extensionHead, "qcow2.ext.backing-format-length"),
  l1Table: boundOf(header, "qcow2.l1.size-max"),
  refcountTable: boundOf(header, "qcow2.reftable.size-max"),
  snapshots: rangeOf(header, "nb_snapshots").max,
  snapshotExtra: boundOf(snapshotHead, "qcow2.snap.extra-max"),
  /** Smallest extra data of a snapshot in version 3. */
  snapshotExtraV3: boundOf(snapshotHead, "qcow2.snap.extra-min-v3"),
  /** Largest VM state that the fixed part of a snapshot can have. */
  vmStateSize: rangeOf(snapshotHead, "vm_state_size").max,
  /** Longest id and name of a snapshot that QEMU lists in full. */
  listedId: rangeOf(snapshotHead, "id_str_size").max,
  listedName: rangeOf(snapshotHead, "name_size").max,
  bitmaps: rangeOf(bitmapsExtension, "nb_bitmaps").max,
  bitmapDirectory: rangeOf(bitmapsExtension, "bitmap_directory_size").max,
  bitmap: boundOf(bitmapHead, "qcow2.bitmap.phys-max"),
  bitmapName: rangeOf(bitmapHead, "name_size").max,
  granularityBits: rangeOf(bitmapHead, "granularity_bits"),
} as const;
