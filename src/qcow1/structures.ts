import { bitMask, fieldOf, struct, u16, u32, u64, u8 } from "../layout/mod.ts";

/** The first four bytes of every qcow image: "QFI" and 0xfb. */
export const QCOW_MAGIC = 0x514649fb;

/** The header. What a short file lacks of it reads as zeros. */
export const header = struct(
  "qcow1.header",
  { section: "QEMU block/qcow.c, QCowHeader", size: 48 },
  [
    u32("magic", { doc: "QCOW magic string.", values: { qcow: QCOW_MAGIC } }),
    u32("version", { doc: "Version of the format.", values: { v1: 1 }, min: 1, max: 1 }),
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
    u32("mtime", {
      doc: "When the backing file had been changed last; today's writers leave it 0.",
      unit: "seconds",
      reserved: "ignored",
    }),
    u64("size", { doc: "Virtual disk size.", unit: "bytes", min: 2, aligned: 512 }),
    u8("cluster_bits", { doc: "The cluster size is 2 to this power.", min: 9, max: 16 }),
    u8("l2_bits", { doc: "An L2 table has 2 to this power entries.", min: 6, max: 13 }),
    u16("padding", { doc: "Not used.", reserved: "ignored" }),
    u32("crypt_method", { doc: "Encryption.", values: { none: 0, aes: 1 } }),
    u64("l1_table_offset", {
      doc: "Where the L1 table lies.",
      unit: "bytes",
      pointsTo: "qcow1.l1_entry",
    }),
  ],
);

/** An entry of the L1 table. */
export const l1Entry = struct(
  "qcow1.l1_entry",
  { section: "QEMU block/qcow.c, get_cluster_offset", size: 8 },
  [
    u64("l1_entry", {
      doc: "Where an L2 table lies; 0 for none.",
      unit: "bytes",
      pointsTo: "qcow1.l2_entry",
    }),
  ],
);

/** An entry of an L2 table; 0 for no cluster. */
export const l2Entry = struct(
  "qcow1.l2_entry",
  { section: "QEMU block/qcow.c, get_cluster_offset", size: 8 },
  [
    u64("l2_entry", {
      doc: "Where a cluster lies.",
      aligned: 512,
      bits: [
        {
          name: "descriptor",
          from: 0,
          to: 62,
          doc:
            "Offset of the cluster. If it is compressed: cluster_bits bits of length in bytes, " +
            "and below them the offset.",
        },
        { name: "compressed", from: 63, to: 63, doc: "The cluster is compressed." },
      ],
    }),
  ],
);

/** Every structure of qcow version 1, for whatever has to hold of all of them. */
export const qcow1Structures = [header, l1Entry, l2Entry] as const;

/** Masks of the bits in an L2 entry. */
export const entryBits = {
  descriptor: bitMask(l2Entry, "l2_entry", "descriptor"),
  compressed: bitMask(l2Entry, "l2_entry", "compressed"),
} as const;

/** The smallest and the largest value of the fields that QEMU limits. */
export const limits = {
  clusterBits: limitsOf("cluster_bits"),
  l2Bits: limitsOf("l2_bits"),
  nameLength: limitsOf("backing_file_size"),
  size: limitsOf("size"),
} as const;

function limitsOf(
  field: keyof typeof header.offsets,
): { readonly min: number; readonly max: number } {
  const { min = 0, max = Infinity } = fieldOf(header, field);
  return Object.freeze({ min: Number(min), max: Number(max) });
}
