import { bytes, fieldOf, struct, u16, u64 } from "../layout/mod.ts";

/** The first six bytes of the primary copy: "LUKS", 0xba and 0xbe. */
export const PRIMARY_MAGIC: Uint8Array = Uint8Array.of(0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe);
/** The first six bytes of the secondary copy: "SKUL", 0xba and 0xbe. */
export const SECONDARY_MAGIC: Uint8Array = Uint8Array.of(0x53, 0x4b, 0x55, 0x4c, 0xba, 0xbe);

/** Lengths that a copy may have, which are the places where the secondary one may lie (Table 1). */
export const HEADER_SIZES: readonly number[] = Array.from({ length: 9 }, (_, i) => 0x4000 << i);

/** A text field of the header. */
const text = { nulTerminated: true, rule: "luks2.header.text-nul" } as const;
/** A part of the header that is not used. */
const padding = { zero: true, rule: "luks2.header.padding" } as const;

/** The binary header, of which there are two copies, each with its JSON area behind it. */
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
    u64("seqid", { doc: "Number of the update; the copy with the greater one is more recent." }),
    bytes("label", 48, { doc: "Label, as text with a NUL byte at its end.", constraints: [text] }),
    bytes("csum_alg", 32, {
      doc: "Hash of the checksum, as text with a NUL byte at its end.",
      constraints: [text],
    }),
    bytes("salt", 64, { doc: "Random bytes, different ones in each copy." }),
    bytes("uuid", 40, {
      doc: "UUID of the device, as text with a NUL byte at its end.",
      constraints: [text],
    }),
    bytes("subsystem", 48, {
      doc: "Secondary label, as text with a NUL byte at its end.",
      constraints: [text],
    }),
    u64("hdr_offset", { doc: "Where this copy lies.", unit: "bytes" }),
    bytes("_padding", 184, { doc: "Zeros.", constraints: [padding] }),
    bytes("csum", 64, { doc: "Checksum of the copy, taken with zeros here, and zeros behind it." }),
    bytes("_padding4096", 7 * 512, { doc: "Zeros.", constraints: [padding] }),
  ],
);

/** Length in bytes of the field that holds the checksum. */
export const CHECKSUM_BYTES: number = fieldOf(header, "csum").width;

/** Every structure of LUKS version 2, for whatever has to hold of all of them. */
export const luks2Structures = [header] as const;
