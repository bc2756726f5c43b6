import { REQUEST_END_MAX } from "../format/mod.ts";
import { bitMask, rangeOf, type Struct, struct, u16, u32, u64, u8 } from "../layout/mod.ts";

/** The first four bytes of every qcow image: "QFI" and 0xfb. */
export const QCOW_MAGIC = 0x514649fb;

/** The values of crypt_method. */
export const cryptMethods = { none: 0, aes: 1 } as const;

/** The header. In a short file, missing bytes read as zeros. */
export const header = struct(
  "qcow1.header",
  { section: "QEMU block/qcow.c, QCowHeader", size: 48 },
  [
    u32("magic", {
      doc: "QCOW magic string.",
      values: { qcow: QCOW_MAGIC },
      constraints: [{ oneOf: "values", rule: "qcow1.header.magic" }],
    }),
    u32("version", {
      doc: "Version of the format.",
      values: { v1: 1 },
      constraints: [{ oneOf: "values", rule: "qcow1.header.version" }],
    }),
    u64("backing_file_offset", {
      doc: "Offset of the backing file name; 0 if there is no backing file.",
      unit: "bytes",
      pointsTo: "backing_file_name",
      constraints: [{
        region: "backing file name",
        endsBy: REQUEST_END_MAX,
        rule: "qcow1.backing.offset-range",
      }],
    }),
    u32("backing_file_size", {
      doc: "Length of the backing file name.",
      unit: "bytes",
      constraints: [{ max: 1023, rule: "qcow1.backing.name-length" }],
    }),
    u32("mtime", {
      doc: "Modification time of the backing file; current writers set it to 0.",
      unit: "seconds",
      constraints: [{ zero: true, rule: "qcow1.header.padding-mtime" }],
    }),
    u64("size", {
      doc: "Virtual disk size.",
      unit: "bytes",
      constraints: [
        { min: 2, rule: "qcow1.header.size-min" },
        { multipleOf: 512, rule: "qcow1.header.size-512" },
      ],
    }),
    u8("cluster_bits", {
      doc: "The cluster size is 2 to this power.",
      constraints: [
        { min: 9, rule: "qcow1.header.cluster-bits" },
        { max: 16, rule: "qcow1.header.cluster-bits" },
      ],
    }),
    u8("l2_bits", {
      doc: "An L2 table has 2 to this power entries.",
      constraints: [
        { min: 6, rule: "qcow1.header.l2-bits" },
        { max: 13, rule: "qcow1.header.l2-bits" },
      ],
    }),
    u16("padding", {
      doc: "Not used.",
      constraints: [{ zero: true, rule: "qcow1.header.padding-mtime" }],
    }),
    u32("crypt_method", {
      doc: "Encryption method.",
      values: cryptMethods,
      constraints: [{ oneOf: "values", rule: "qcow1.crypt.method" }],
    }),
    u64("l1_table_offset", {
      doc: "Offset of the L1 table.",
      unit: "bytes",
      pointsTo: "qcow1.l1_entry",
      constraints: [
        { region: "L1 table", endsBy: REQUEST_END_MAX, rule: "qcow1.l1.offset-range" },
        { multipleOf: 8, rule: "qcow1.l1.alignment" },
      ],
    }),
  ],
);

/** An entry of the L1 table. */
export const l1Entry = struct(
  "qcow1.l1_entry",
  { section: "QEMU block/qcow.c, get_cluster_offset", size: 8 },
  [
    u64("l1_entry", {
      doc: "Offset of an L2 table; 0 if there is none.",
      unit: "bytes",
      pointsTo: "qcow1.l2_entry",
      constraints: [
        { region: "L2 table", endsBy: REQUEST_END_MAX, rule: "qcow1.l1e.range" },
        { multipleOf: "cluster size", rule: "qcow1.l2.alignment" },
      ],
    }),
  ],
);

/** An entry of an L2 table; 0 if there is no cluster. */
export const l2Entry = struct(
  "qcow1.l2_entry",
  { section: "QEMU block/qcow.c, get_cluster_offset", size: 8 },
  [
    u64("l2_entry", {
      doc: "Location of a cluster.",
      constraints: [
        { multipleOf: 512, rule: "qcow1.l2e.sector-aligned" },
        { region: "cluster", endsBy: REQUEST_END_MAX, rule: "qcow1.l2e.range" },
        { multipleOf: "cluster size", rule: "qcow1.l2e.cluster-aligned" },
      ],
      bits: [
        {
          name: "descriptor",
          from: 0,
          to: 62,
          doc:
            "Offset of the cluster. If it is compressed: length in bytes in the upper cluster_bits bits, " +
            "and offset in the bits below.",
        },
        { name: "compressed", from: 63, to: 63, doc: "The cluster is compressed." },
      ],
    }),
  ],
);

/** Every structure of qcow version 1. */
export const qcow1Structures: readonly Struct[] = [header, l1Entry, l2Entry];

/** Masks of the bits in an L2 entry. */
export const entryBits = {
  descriptor: bitMask(l2Entry, "l2_entry", "descriptor"),
  compressed: bitMask(l2Entry, "l2_entry", "compressed"),
} as const;

/** The smallest and the largest value of the fields that QEMU limits. */
export const limits = {
  clusterBits: rangeOf(header, "cluster_bits"),
  l2Bits: rangeOf(header, "l2_bits"),
  nameLength: rangeOf(header, "backing_file_size"),
  size: rangeOf(header, "size"),
} as const;
