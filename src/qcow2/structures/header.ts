import { REQUEST_END_MAX } from "../../format/mod.ts";
import { bytes, struct, u32, u64, u8 } from "../../layout/mod.ts";
import { l1Entry } from "./entries.ts";

/** The first four bytes of every qcow image: "QFI" and 0xfb. */
export const QCOW_MAGIC = 0x514649fb;

/** Longest L1 table that QEMU accepts, in bytes. */
export const L1_BYTES_MAX: number = 32 * 2 ** 20;
/** Largest end offset of a table: the largest signed 64-bit integer. */
export const TABLE_END_MAX: bigint = 2n ** 63n - 1n;

/** Length of a version 3 header without additional fields. */
const V3_BYTES = 104;
/** Length of the header with all known fields. */
const KNOWN_BYTES = 112;

/** The values of crypt_method. */
export const cryptMethods = { none: 0, aes: 1, luks: 2 } as const;

/** The values of compression_type. */
export const compressionTypes = { deflate: 0, zstd: 1 } as const;

/** Incompatible feature bits: a reader that does not know one must not open the image. */
export const incompatibleBits = [
  { name: "dirty", from: 0, to: 0, doc: "Refcounts may be stale." },
  {
    name: "corrupt",
    from: 1,
    to: 1,
    doc: "Any structure may be corrupt; the image must not be written to.",
  },
  { name: "external-data-file", from: 2, to: 2, doc: "Guest clusters are in another file." },
  { name: "compression-type", from: 3, to: 3, doc: "Compression other than deflate." },
  { name: "extended-l2", from: 4, to: 4, doc: "L2 entries of 128 bits, with subclusters." },
  { name: "reserved", from: 5, to: 63, doc: "Not defined.", reserved: true },
] as const;

/** The part of the header that is common to all versions. */
const headerV2Fields = [
  u32("magic", {
    doc: "QCOW magic string.",
    values: { qcow: QCOW_MAGIC },
    constraints: [{ oneOf: "values", rule: "qcow2.header.magic" }],
  }),
  u32("version", {
    doc: "Version of the format.",
    values: { v2: 2, v3: 3 },
    constraints: [{ oneOf: "values", rule: "qcow2.header.version" }],
  }),
  u64("backing_file_offset", {
    doc: "Offset of the backing file name; 0 if there is no backing file.",
    unit: "bytes",
    pointsTo: "backing_file_name",
    constraints: [{ max: "cluster size", rule: "qcow2.header.backing-offset" }],
  }),
  u32("backing_file_size", {
    doc: "Length of the backing file name.",
    unit: "bytes",
    constraints: [
      { max: 1023, rule: "qcow2.backing.name-length" },
      { max: "rest of the first cluster", rule: "qcow2.backing.name-length" },
    ],
  }),
  u32("cluster_bits", {
    doc: "The cluster size is 2 to this power.",
    constraints: [
      { min: 9, rule: "qcow2.header.cluster-bits-min" },
      { max: 21, rule: "qcow2.header.cluster-bits-max" },
      { min: 14, when: "with extended L2 entries", rule: "qcow2.header.extl2-cluster-min" },
    ],
  }),
  u64("size", {
    doc: "Virtual disk size.",
    unit: "bytes",
    constraints: [{ multipleOf: 512, rule: "qcow2.header.size-512" }],
  }),
  u32("crypt_method", {
    doc: "Encryption method.",
    values: cryptMethods,
    constraints: [{ oneOf: "values", rule: "qcow2.crypt.method-known" }],
  }),
  u32("l1_size", {
    doc: "Length of the active L1 table.",
    unit: "entries",
    constraints: [{ max: L1_BYTES_MAX, each: l1Entry.size, rule: "qcow2.l1.size-max" }],
  }),
  u64("l1_table_offset", {
    doc: "Offset of the active L1 table.",
    unit: "bytes",
    pointsTo: "qcow2.l1_entry",
    constraints: [
      { multipleOf: "cluster size", rule: "qcow2.l1.offset" },
      { region: "L1 table", endsBy: TABLE_END_MAX, rule: "qcow2.l1.offset" },
      { region: "L1 table", endsBy: REQUEST_END_MAX, rule: "qcow2.l1.readable" },
    ],
  }),
  u64("refcount_table_offset", {
    doc: "Offset of the refcount table.",
    unit: "bytes",
    pointsTo: "qcow2.refcount_table_entry",
    constraints: [
      { multipleOf: "cluster size", rule: "qcow2.reftable.offset" },
      { region: "refcount table", endsBy: TABLE_END_MAX, rule: "qcow2.reftable.offset" },
      { region: "refcount table", endsBy: REQUEST_END_MAX, rule: "qcow2.reftable.readable" },
    ],
  }),
  u32("refcount_table_clusters", {
    doc: "Length of the refcount table.",
    unit: "clusters",
    constraints: [
      { min: 1, rule: "qcow2.reftable.present" },
      { max: 8 * 2 ** 20, each: "cluster size", rule: "qcow2.reftable.size-max" },
    ],
  }),
  u32("nb_snapshots", {
    doc: "Number of internal snapshots.",
    unit: "entries",
    constraints: [{ max: 65536, rule: ["qcow2.snaptable.count-max", "qcow2.check.snap-count"] }],
  }),
  u64("snapshots_offset", {
    doc: "Offset of the snapshot table.",
    unit: "bytes",
    pointsTo: "qcow2.snapshot",
    constraints: [
      {
        multipleOf: "cluster size",
        rule: ["qcow2.snaptable.offset", "qcow2.check.snap-offset"],
      },
      {
        region: "snapshot table",
        endsBy: TABLE_END_MAX,
        rule: ["qcow2.snaptable.offset", "qcow2.check.snap-offset"],
      },
      { region: "snapshot table", endsBy: REQUEST_END_MAX, rule: "qcow2.snap.readable" },
    ],
  }),
] as const;

/** The header of version 2. */
export const headerV2 = struct(
  "qcow2.header_v2",
  { section: "qcow2.txt, Header", size: 72 },
  headerV2Fields,
);

/** The version 3 header up to `header_length`, which every version 3 image has. */
export const headerV3Minimal = struct(
  "qcow2.header_v3_minimal",
  { section: "qcow2.txt, Header", size: V3_BYTES },
  [
    ...headerV2Fields,
    u64("incompatible_features", {
      doc: "Features that a reader must support.",
      bits: incompatibleBits,
      constraints: [{ clear: "reserved", rule: "qcow2.header.incompat-unknown" }],
    }),
    u64("compatible_features", {
      doc: "Features that a reader may ignore.",
      bits: [
        { name: "lazy-refcounts", from: 0, to: 0, doc: "Refcount updates may be postponed." },
        { name: "reserved", from: 1, to: 63, doc: "Not defined.", reserved: true },
      ],
      constraints: [{ clear: "reserved", rule: "qcow2.header.compat-unknown" }],
    }),
    u64("autoclear_features", {
      doc: "Features that a writer clears if it does not support them.",
      bits: [
        { name: "bitmaps", from: 0, to: 0, doc: "The bitmaps extension is consistent." },
        {
          name: "raw-external-data",
          from: 1,
          to: 1,
          doc: "The data file is a valid raw image on its own.",
        },
        { name: "reserved", from: 2, to: 63, doc: "Not defined.", reserved: true },
      ],
      constraints: [{ clear: "reserved", rule: "qcow2.header.autoclear-unknown" }],
    }),
    u32("refcount_order", {
      doc: "A refcount has 2 to this power bits.",
      constraints: [{ max: 6, rule: "qcow2.header.refcount-order" }],
    }),
    u32("header_length", {
      doc: "Length of the header.",
      unit: "bytes",
      constraints: [
        { min: V3_BYTES, when: "in version 3", rule: "qcow2.header.length-min" },
        { multipleOf: 8, when: "in version 3", rule: "qcow2.header.length-mult8" },
        { max: "cluster size", rule: "qcow2.header.length-fits" },
        { max: KNOWN_BYTES, rule: "qcow2.header.unknown-fields" },
      ],
    }),
  ],
);

/** The header with all known fields. Fields past the end of a shorter header read as zeros. */
export const header = struct("qcow2.header", { section: "qcow2.txt, Header", size: KNOWN_BYTES }, [
  ...headerV3Minimal.fields,
  u8("compression_type", {
    doc: "Compression method of compressed clusters.",
    values: compressionTypes,
    section: "qcow2.txt, Additional fields",
    constraints: [{ oneOf: "values", rule: "qcow2.header.compression-known" }],
  }),
  bytes("padding", 7, {
    doc: "Pads the header to a multiple of 8 bytes.",
    section: "qcow2.txt, Header padding",
    constraints: [{ zero: true, rule: "qcow2.header.padding-zero" }],
  }),
]);
