import { bitMask, bytes, reservedMask, struct, u16, u32, u64, u8 } from "../layout/mod.ts";

/** The first four bytes of every qcow image: "QFI" and 0xfb. */
export const QCOW_MAGIC = 0x514649fb;

/** Incompatible feature bits: a reader that does not know one must not open the image. */
export const incompatibleBits = [
  { name: "dirty", from: 0, to: 0, doc: "Refcounts may be stale." },
  { name: "corrupt", from: 1, to: 1, doc: "Any structure may be corrupt; not to be written to." },
  { name: "external-data-file", from: 2, to: 2, doc: "Guest clusters lie in another file." },
  { name: "compression-type", from: 3, to: 3, doc: "Compression other than deflate." },
  { name: "extended-l2", from: 4, to: 4, doc: "L2 entries of 128 bits, with subclusters." },
  { name: "reserved", from: 5, to: 63, doc: "Not defined.", reserved: "must-be-zero" },
] as const;

/** The part of the header that every version has. */
const headerV2Fields = [
  u32("magic", { doc: "QCOW magic string.", values: { qcow: QCOW_MAGIC } }),
  u32("version", { doc: "Version of the format.", values: { v2: 2, v3: 3 }, min: 2, max: 3 }),
  u64("backing_file_offset", {
    doc: "Where the backing file name lies; 0 for no backing file.",
    unit: "bytes",
    pointsTo: "backing_file_name",
  }),
  u32("backing_file_size", {
    doc: "Length of the backing file name.",
    unit: "bytes",
    max: 1023,
  }),
  u32("cluster_bits", { doc: "The cluster size is 2 to this power.", min: 9, max: 21 }),
  u64("size", { doc: "Virtual disk size.", unit: "bytes", aligned: 512 }),
  u32("crypt_method", { doc: "Encryption.", values: { none: 0, aes: 1, luks: 2 } }),
  u32("l1_size", { doc: "Length of the active L1 table.", unit: "entries", max: 1 << 22 }),
  u64("l1_table_offset", {
    doc: "Where the active L1 table lies.",
    unit: "bytes",
    aligned: "cluster",
    pointsTo: "qcow2.l1_entry",
  }),
  u64("refcount_table_offset", {
    doc: "Where the refcount table lies.",
    unit: "bytes",
    aligned: "cluster",
    pointsTo: "qcow2.refcount_table_entry",
  }),
  u32("refcount_table_clusters", {
    doc: "Length of the refcount table.",
    unit: "clusters",
    min: 1,
  }),
  u32("nb_snapshots", { doc: "Number of internal snapshots.", unit: "entries", max: 65536 }),
  u64("snapshots_offset", {
    doc: "Where the snapshot table lies.",
    unit: "bytes",
    aligned: "cluster",
    pointsTo: "qcow2.snapshot",
  }),
] as const;

/** The header of version 2. */
export const headerV2 = struct(
  "qcow2.header_v2",
  { section: "qcow2.txt, Header", size: 72 },
  headerV2Fields,
);

/** The header of version 3 up to `header_length`: what every version 3 image has. */
export const headerV3Minimal = struct(
  "qcow2.header_v3_minimal",
  { section: "qcow2.txt, Header", size: 104 },
  [
    ...headerV2Fields,
    u64("incompatible_features", {
      doc: "Features that a reader has to know.",
      bits: incompatibleBits,
    }),
    u64("compatible_features", {
      doc: "Features that a reader may ignore.",
      bits: [
        { name: "lazy-refcounts", from: 0, to: 0, doc: "Refcount updates may be postponed." },
        { name: "reserved", from: 1, to: 63, doc: "Not defined.", reserved: "ignored" },
      ],
    }),
    u64("autoclear_features", {
      doc: "Features that a writer which does not know them clears.",
      bits: [
        { name: "bitmaps", from: 0, to: 0, doc: "The bitmaps extension is consistent." },
        {
          name: "raw-external-data",
          from: 1,
          to: 1,
          doc: "The data file is a raw image by itself.",
        },
        { name: "reserved", from: 2, to: 63, doc: "Not defined.", reserved: "ignored" },
      ],
    }),
    u32("refcount_order", { doc: "A refcount has 2 to this power bits.", max: 6 }),
    u32("header_length", { doc: "Length of the header.", unit: "bytes", min: 104, aligned: 8 }),
  ],
);

/** The whole header as it is known today; a shorter one reads as zeros past its end. */
export const header = struct("qcow2.header", { section: "qcow2.txt, Header", size: 112 }, [
  ...headerV3Minimal.fields,
  u8("compression_type", {
    doc: "Compression of compressed clusters.",
    values: { deflate: 0, zstd: 1 },
    section: "qcow2.txt, Additional fields",
  }),
  bytes("padding", 7, {
    doc: "Fills the header up to a multiple of 8.",
    reserved: "must-be-zero",
    section: "qcow2.txt, Header padding",
  }),
]);

/** The types of header extension that the specification names. */
export const extensionTypes = {
  end: 0x00000000,
  backingFormat: 0xe2792aca,
  featureNameTable: 0x6803f857,
  bitmaps: 0x23852875,
  encryptionHeader: 0x0537be77,
  dataFile: 0x44415441,
} as const;

/** The LUKS header of the draft of 2016: an extension that readers of the format do not know. */
export const DRAFT_LUKS_EXTENSION = 0x4c554b53;

/** What every header extension starts with. */
export const extensionHead = struct(
  "qcow2.extension",
  { section: "qcow2.txt, Header extensions", size: 8 },
  [
    u32("type", { doc: "What the extension is.", values: extensionTypes }),
    u32("length", { doc: "Length of the data.", unit: "bytes" }),
  ],
);

/** One record of the feature name table. */
export const featureName = struct(
  "qcow2.feature_name",
  { section: "qcow2.txt, Feature name table", size: 48 },
  [
    u8("type", {
      doc: "Which feature bitmap.",
      values: { incompatible: 0, compatible: 1, autoclear: 2 },
      max: 2,
    }),
    u8("bit", { doc: "Number of the bit.", max: 63 }),
    bytes("name", 46, { doc: "Name, padded with zeros." }),
  ],
);

/** The data of the bitmaps extension. */
export const bitmapsExtension = struct(
  "qcow2.bitmaps_extension",
  { section: "qcow2.txt, Bitmaps extension", size: 24 },
  [
    u32("nb_bitmaps", { doc: "Number of bitmaps.", unit: "entries", min: 1, max: 65535 }),
    u32("reserved", { doc: "Zero.", reserved: "must-be-zero" }),
    u64("bitmap_directory_size", { doc: "Length of the bitmap directory.", unit: "bytes" }),
    u64("bitmap_directory_offset", {
      doc: "Where the bitmap directory lies.",
      unit: "bytes",
      aligned: "cluster",
      pointsTo: "qcow2.bitmap_directory_entry",
    }),
  ],
);

/** The data of the full disk encryption header pointer. */
export const encryptionPointer = struct(
  "qcow2.encryption_header_pointer",
  { section: "qcow2.txt, Full disk encryption header pointer", size: 16 },
  [
    u64("offset", {
      doc: "Where the encryption header lies.",
      unit: "bytes",
      aligned: "cluster",
    }),
    u64("length", { doc: "Length of the encryption header and its key material.", unit: "bytes" }),
  ],
);

/** The fixed part of a snapshot table entry; extra data, id and name follow it. */
export const snapshotHead = struct(
  "qcow2.snapshot",
  { section: "qcow2.txt, Snapshots", size: 40 },
  [
    u64("l1_table_offset", {
      doc: "Where the snapshot's L1 table lies.",
      unit: "bytes",
      aligned: "cluster",
      pointsTo: "qcow2.l1_entry",
    }),
    u32("l1_size", { doc: "Length of the snapshot's L1 table.", unit: "entries", max: 1 << 22 }),
    u16("id_str_size", { doc: "Length of the id.", unit: "bytes" }),
    u16("name_size", { doc: "Length of the name.", unit: "bytes" }),
    u32("date_sec", { doc: "When it was taken, since the Epoch.", unit: "seconds" }),
    u32("date_nsec", { doc: "Subsecond part of when it was taken.", unit: "nanoseconds" }),
    u64("vm_clock_nsec", { doc: "How long the guest had been running.", unit: "nanoseconds" }),
    u32("vm_state_size", { doc: "Length of the VM state.", unit: "bytes" }),
    u32("extra_data_size", { doc: "Length of the extra data.", unit: "bytes", max: 1024 }),
  ],
);

/** The extra data of a snapshot, as far as it is defined. */
export const snapshotExtra = struct(
  "qcow2.snapshot_extra",
  { section: "qcow2.txt, Snapshots", size: 24 },
  [
    u64("vm_state_size_large", { doc: "Length of the VM state.", unit: "bytes" }),
    u64("disk_size", { doc: "Virtual disk size of the snapshot.", unit: "bytes" }),
    u64("icount", { doc: "Instruction count, or all ones." }),
  ],
);

/** The fixed part of a bitmap directory entry; extra data and name follow it. */
export const bitmapHead = struct(
  "qcow2.bitmap_directory_entry",
  { section: "qcow2.txt, Bitmap directory", size: 24 },
  [
    u64("bitmap_table_offset", {
      doc: "Where the bitmap table lies.",
      unit: "bytes",
      aligned: "cluster",
      pointsTo: "qcow2.bitmap_table_entry",
    }),
    u32("bitmap_table_size", {
      doc: "Length of the bitmap table.",
      unit: "entries",
      min: 1,
      max: 0x8000000,
    }),
    u32("flags", {
      doc: "State of the bitmap.",
      bits: [
        { name: "in_use", from: 0, to: 0, doc: "It was not saved." },
        { name: "auto", from: 1, to: 1, doc: "It tracks all writes." },
        { name: "extra_data_compatible", from: 2, to: 2, doc: "Unknown extra data is harmless." },
        { name: "reserved", from: 3, to: 31, doc: "Not defined.", reserved: "must-be-zero" },
      ],
    }),
    u8("type", { doc: "Sort of bitmap.", values: { dirtyTracking: 1 }, min: 1, max: 1 }),
    u8("granularity_bits", {
      doc: "One bit stands for 2 to this power bytes.",
      min: 9,
      max: 31,
    }),
    u16("name_size", { doc: "Length of the name.", unit: "bytes", min: 1, max: 1023 }),
    u32("extra_data_size", { doc: "Length of the extra data.", unit: "bytes", max: 0 }),
  ],
);

/** An entry of an L1 table. */
export const l1Entry = struct("qcow2.l1_entry", { section: "qcow2.txt, L1 table entry", size: 8 }, [
  u64("l1_entry", {
    doc: "Where an L2 table lies.",
    aligned: "cluster",
    pointsTo: "qcow2.l2_entry",
    bits: [
      { name: "reserved_low", from: 0, to: 8, doc: "Zero.", reserved: "must-be-zero" },
      { name: "offset", from: 9, to: 55, doc: "Offset of the L2 table; 0 for none." },
      { name: "reserved_high", from: 56, to: 62, doc: "Zero.", reserved: "must-be-zero" },
      { name: "copied", from: 63, to: 63, doc: "The refcount of the L2 table is exactly 1." },
    ],
  }),
]);

/** An L2 entry that describes a standard cluster. */
export const l2Entry = struct(
  "qcow2.l2_entry",
  { section: "qcow2.txt, L2 table entry", size: 8 },
  [
    u64("l2_entry", {
      doc: "Where a cluster lies.",
      aligned: "cluster",
      bits: [
        { name: "zero", from: 0, to: 0, doc: "The cluster reads as zeros." },
        { name: "reserved_low", from: 1, to: 8, doc: "Zero.", reserved: "must-be-zero" },
        { name: "offset", from: 9, to: 55, doc: "Offset of the cluster." },
        { name: "reserved_high", from: 56, to: 61, doc: "Zero.", reserved: "must-be-zero" },
        { name: "compressed", from: 62, to: 62, doc: "The entry describes a compressed cluster." },
        { name: "copied", from: 63, to: 63, doc: "The refcount of the cluster is exactly 1." },
      ],
    }),
  ],
);

/** An extended L2 entry: the entry above, and what is allocated of the cluster. */
export const extendedL2Entry = struct(
  "qcow2.extended_l2_entry",
  { section: "qcow2.txt, Extended L2 Entries", size: 16 },
  [
    ...l2Entry.fields,
    u64("subcluster_bitmap", {
      doc: "State of the 32 subclusters.",
      bits: [
        { name: "allocated", from: 0, to: 31, doc: "The subcluster is allocated." },
        { name: "zero", from: 32, to: 63, doc: "The subcluster reads as zeros." },
      ],
    }),
  ],
);

/** An entry of the refcount table. */
export const refcountTableEntry = struct(
  "qcow2.refcount_table_entry",
  { section: "qcow2.txt, Host cluster management", size: 8 },
  [
    u64("refcount_table_entry", {
      doc: "Where a refcount block lies.",
      aligned: "cluster",
      pointsTo: "qcow2.refcount_block",
      bits: [
        { name: "reserved", from: 0, to: 8, doc: "Zero.", reserved: "must-be-zero" },
        { name: "offset", from: 9, to: 63, doc: "Offset of the refcount block; 0 for none." },
      ],
    }),
  ],
);

/** An entry of a bitmap table. */
export const bitmapTableEntry = struct(
  "qcow2.bitmap_table_entry",
  { section: "qcow2.txt, Bitmap table", size: 8 },
  [
    u64("bitmap_table_entry", {
      doc: "Where a cluster of a bitmap lies.",
      aligned: "cluster",
      bits: [
        { name: "all_ones", from: 0, to: 0, doc: "Without an offset: the cluster is all ones." },
        { name: "reserved_low", from: 1, to: 8, doc: "Zero.", reserved: "must-be-zero" },
        { name: "offset", from: 9, to: 55, doc: "Offset of the cluster; 0 for none." },
        { name: "reserved_high", from: 56, to: 63, doc: "Zero.", reserved: "must-be-zero" },
      ],
    }),
  ],
);

/** Every structure of qcow2, for whatever has to hold of all of them. */
export const qcow2Structures = [
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
] as const;

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
