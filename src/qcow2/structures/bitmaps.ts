import { REQUEST_END_MAX } from "../../format/mod.ts";
import { struct, u16, u32, u64, u8 } from "../../layout/mod.ts";

/** The data of the bitmaps extension. */
export const bitmapsExtension = struct(
  "qcow2.bitmaps_extension",
  { section: "qcow2.txt, Bitmaps extension", size: 24 },
  [
    u32("nb_bitmaps", {
      doc: "Number of bitmaps.",
      unit: "entries",
      constraints: [
        { max: 65535, rule: "qcow2.ext.bitmaps-count-max" },
        { min: 1, rule: "qcow2.ext.bitmaps-count-min" },
      ],
    }),
    u32("reserved", {
      doc: "Zero.",
      constraints: [{ zero: true, rule: "qcow2.ext.bitmaps-reserved" }],
    }),
    u64("bitmap_directory_size", {
      doc: "Length of the bitmap directory.",
      unit: "bytes",
      constraints: [
        { max: 1024 * 65535, rule: "qcow2.ext.bitmaps-dir-size-max" },
        { min: 1, rule: "qcow2.bitmap.dir-size-nonzero" },
      ],
    }),
    u64("bitmap_directory_offset", {
      doc: "Offset of the bitmap directory.",
      unit: "bytes",
      pointsTo: "qcow2.bitmap_directory_entry",
      constraints: [
        { multipleOf: "cluster size", rule: "qcow2.ext.bitmaps-dir-aligned" },
        {
          region: "bitmap directory",
          endsBy: REQUEST_END_MAX,
          rule: "qcow2.bitmap.dir-readable",
        },
      ],
    }),
  ],
);

/** The values of the type of a bitmap. */
export const bitmapTypes = { dirtyTracking: 1 } as const;

/** The fixed part of a bitmap directory entry; extra data and name follow it. */
export const bitmapHead = struct(
  "qcow2.bitmap_directory_entry",
  { section: "qcow2.txt, Bitmap directory", size: 24 },
  [
    u64("bitmap_table_offset", {
      doc: "Offset of the bitmap table.",
      unit: "bytes",
      pointsTo: "qcow2.bitmap_table_entry",
      constraints: [
        { min: 1, rule: "qcow2.bitmap.table-offset-nonzero" },
        { multipleOf: "cluster size", rule: "qcow2.bitmap.table-aligned" },
        { region: "bitmap table", endsBy: REQUEST_END_MAX, rule: "qcow2.bitmap.table-readable" },
      ],
    }),
    u32("bitmap_table_size", {
      doc: "Length of the bitmap table.",
      unit: "entries",
      constraints: [
        { min: 1, rule: "qcow2.bitmap.table-size-nonzero" },
        { max: 2 ** 27, rule: "qcow2.bitmap.table-size-max" },
        { max: 512 * 2 ** 20, each: "cluster size", rule: "qcow2.bitmap.phys-max" },
      ],
    }),
    u32("flags", {
      doc: "State of the bitmap.",
      bits: [
        { name: "in_use", from: 0, to: 0, doc: "The bitmap was not saved." },
        { name: "auto", from: 1, to: 1, doc: "The bitmap tracks all writes." },
        { name: "extra_data_compatible", from: 2, to: 2, doc: "Unknown extra data is harmless." },
        { name: "reserved", from: 3, to: 31, doc: "Not defined.", reserved: true },
      ],
      constraints: [
        { clear: ["extra_data_compatible", "reserved"], rule: "qcow2.bitmap.flags-reserved" },
        { clear: "reserved", rule: "qcow2.bitmap.flags-defined" },
      ],
    }),
    u8("type", {
      doc: "Type of the bitmap.",
      values: bitmapTypes,
      constraints: [{ oneOf: "values", rule: "qcow2.bitmap.type" }],
    }),
    u8("granularity_bits", {
      doc: "One bit represents 2 to this power bytes.",
      constraints: [
        { max: 31, rule: "qcow2.bitmap.granularity-max" },
        { min: 9, rule: "qcow2.bitmap.granularity-min" },
        { max: 63, rule: "qcow2.bitmap.granularity-valid" },
      ],
    }),
    u16("name_size", {
      doc: "Length of the name.",
      unit: "bytes",
      constraints: [
        { max: 1023, rule: "qcow2.bitmap.name-max" },
        { min: 1, rule: "qcow2.bitmap.name-nonempty" },
      ],
    }),
    u32("extra_data_size", {
      doc: "Length of the extra data.",
      unit: "bytes",
      constraints: [{ zero: true, rule: "qcow2.bitmap.no-extra-data" }],
    }),
  ],
);

/** An entry of a bitmap table. */
export const bitmapTableEntry = struct(
  "qcow2.bitmap_table_entry",
  { section: "qcow2.txt, Bitmap table", size: 8 },
  [
    u64("bitmap_table_entry", {
      doc: "Cluster of bitmap data.",
      bits: [
        { name: "all_ones", from: 0, to: 0, doc: "Without an offset: the cluster is all ones." },
        { name: "reserved_low", from: 1, to: 8, doc: "Zero.", reserved: true },
        { name: "offset", from: 9, to: 55, doc: "Offset of the cluster; 0 for none." },
        { name: "reserved_high", from: 56, to: 63, doc: "Zero.", reserved: true },
      ],
      constraints: [
        {
          clear: "reserved",
          rule: ["qcow2.bitmap.table-entry-reserved", "qcow2.check.bitmap-table"],
        },
        {
          clear: ["all_ones"],
          when: "with an offset",
          rule: ["qcow2.bitmap.table-entry-bit0", "qcow2.check.bitmap-table"],
        },
        {
          multipleOf: "cluster size",
          bits: "offset",
          rule: ["qcow2.bitmap.table-entry-aligned", "qcow2.check.bitmap-table"],
        },
      ],
    }),
  ],
);
