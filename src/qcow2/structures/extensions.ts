import { REQUEST_END_MAX } from "../../format/mod.ts";
import { bytes, struct, u32, u64, u8 } from "../../layout/mod.ts";
import { HEADER_BYTES as LUKS_HEADER_BYTES } from "../../luks1/mod.ts";
import { bitmapsExtension } from "./bitmaps.ts";

/** The types of header extension that the specification names. */
export const extensionTypes = {
  end: 0x00000000,
  backingFormat: 0xe2792aca,
  featureNameTable: 0x6803f857,
  bitmaps: 0x23852875,
  encryptionHeader: 0x0537be77,
  dataFile: 0x44415441,
} as const;

/** The LUKS header of the 2016 draft: an extension that the specification does not define. */
export const DRAFT_LUKS_EXTENSION = 0x4c554b53;

/** The data of the full disk encryption header pointer. */
export const encryptionPointer = struct(
  "qcow2.encryption_header_pointer",
  { section: "qcow2.txt, Full disk encryption header pointer", size: 16 },
  [
    u64("offset", {
      doc: "Offset of the encryption header.",
      unit: "bytes",
      pointsTo: "luks1.header",
      constraints: [
        { multipleOf: "cluster size", rule: "qcow2.ext.crypto-aligned" },
        { region: "LUKS header", endsBy: REQUEST_END_MAX, rule: "qcow2.ext.crypto-readable" },
      ],
    }),
    u64("length", {
      doc: "Length of the encryption header and its key material.",
      unit: "bytes",
      constraints: [{ min: LUKS_HEADER_BYTES, rule: "qcow2.ext.crypto-range" }],
    }),
  ],
);

/** The start of every header extension. */
export const extensionHead = struct(
  "qcow2.extension",
  { section: "qcow2.txt, Header extensions", size: 8 },
  [
    u32("type", { doc: "Type of the extension.", values: extensionTypes }),
    u32("length", {
      doc: "Length of the data.",
      unit: "bytes",
      constraints: [
        { max: 15, when: "backing format", rule: "qcow2.ext.backing-format-length" },
        {
          oneOf: [encryptionPointer.size],
          when: "encryption header",
          rule: "qcow2.ext.crypto-length",
        },
        { oneOf: [bitmapsExtension.size], when: "bitmaps", rule: "qcow2.ext.bitmaps-length" },
      ],
    }),
  ],
);

/** The values of the type of a feature name. */
export const featureTypes = { incompatible: 0, compatible: 1, autoclear: 2 } as const;

/** One record of the feature name table. */
export const featureName = struct(
  "qcow2.feature_name",
  { section: "qcow2.txt, Feature name table", size: 48 },
  [
    u8("type", {
      doc: "Feature bitmap that contains the bit.",
      values: featureTypes,
      constraints: [{ oneOf: "values", rule: "qcow2.ext.feature-table-record" }],
    }),
    u8("bit", {
      doc: "Bit number.",
      constraints: [{ max: 63, rule: "qcow2.ext.feature-table-record" }],
    }),
    bytes("name", 46, { doc: "Name, padded with zeros." }),
  ],
);
