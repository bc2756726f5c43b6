import { bytes, fieldOf, type Struct, struct, u16, u64 } from "../layout/mod.ts";

/** The first six bytes of the primary copy: "LUKS", 0xba and 0xbe. */
export const PRIMARY_MAGIC: Uint8Array = Uint8Array.of(0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe);
/** The first six bytes of the secondary copy: "SKUL", 0xba and 0xbe. */
export const SECONDARY_MAGIC: Uint8Array = Uint8Array.of(0x53, 0x4b, 0x55, 0x4c, 0xba, 0xbe);

/** Valid lengths of a copy, which are also the valid offsets of the secondary copy (Table 1). */
export const HEADER_SIZES: readonly number[] = Array.from({ length: 9 }, (_, i) => 0x4000 << i);

/** A text field of the header. */
const text = { nulTerminated: true, rule: "luks2.header.text-nul" } as const;
/** An unused part of the header. */
const padding = { zero: true, rule: "luks2.header.padding" } as const;

/** The binary header. There are two copies, each followed by its JSON area. */
export const header = struct(
  "luks2.header",
  { section: "LUKS2 On-Disk Format 1.1.1, 2.1 Binary Header, Figure 2", size: 4096 },
  [
    bytes("magic", 6, { doc: "'LUKS' in the primary copy, 'SKUL' in the other; 0xba and 0xbe." }),
    u16("version", {
      doc: "LUKS version.",
      values: { v2: 2 },
      constraints: [{ oneOf: "values", rule: "luks2.header.version" }],
    }),
    u64("hdr_size", {
      doc: "Length of one copy: binary header and JSON area.",
      unit: "bytes",
      constraints: [{ oneOf: HEADER_SIZES, rule: "luks2.header.size" }],
    }),
    u64("seqid", {
      doc: "Sequence number of the update; the copy with the greater one is more recent.",
    }),
    bytes("label", 48, { doc: "Label, as text with a NUL byte at its end.", constraints: [text] }),
    bytes("csum_alg", 32, {
      doc: "Hash of the checksum, as text with a NUL byte at its end.",
      constraints: [text],
    }),
    bytes("salt", 64, { doc: "Random bytes that differ between the copies." }),
    bytes("uuid", 40, {
      doc: "UUID of the device, as text with a NUL byte at its end.",
      constraints: [text],
    }),
    bytes("subsystem", 48, {
      doc: "Secondary label, as text with a NUL byte at its end.",
      constraints: [text],
    }),
    u64("hdr_offset", { doc: "Offset of this copy.", unit: "bytes" }),
    bytes("_padding", 184, { doc: "Zeros.", constraints: [padding] }),
    bytes("csum", 64, {
      doc: "Checksum of the copy, computed with zeros in this field and padded with zeros.",
    }),
    bytes("_padding4096", 7 * 512, { doc: "Zeros.", constraints: [padding] }),
  ],
);

/** Length of the checksum field in bytes. */
export const CHECKSUM_BYTES: number = fieldOf(header, "csum").width;

/** Every structure of LUKS version 2. */
export const luks2Structures: readonly Struct[] = [header];
