import { SECTOR } from "../bytes/mod.ts";
import { bytes, fieldOf, type Struct, struct, u16, u32 } from "../layout/mod.ts";

/** The first six bytes of every volume: "LUKS", 0xba and 0xbe. */
export const LUKS_MAGIC: Uint8Array = Uint8Array.of(0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe);

/** Alignment of header and key material in QEMU and cryptsetup, in bytes. */
export const UNIT = 4096;
/** Stripes of every key slot. */
export const STRIPES = 4000;

/** The values of a key slot's `active`. */
export const slotStates = { disabled: 0x0000dead, enabled: 0x00ac71f3 } as const;

/** The header up to the key slots. In a short file, missing bytes read as zeros. */
export const header = struct(
  "luks1.header",
  { section: "LUKS1 On-Disk Format 1.2.3, 3.1 Version 1, Figure 1", size: 208 },
  [
    bytes("magic", 6, {
      doc: "Magic for LUKS partition header: 'LUKS' and 0xba, 0xbe.",
      constraints: [{ equals: LUKS_MAGIC, rule: "luks.header.magic" }],
    }),
    u16("version", {
      doc: "LUKS version.",
      values: { v1: 1 },
      constraints: [{ oneOf: "values", rule: "luks.header.version" }],
    }),
    bytes("cipher_name", 32, {
      doc: "Cipher, as text with a NUL byte at its end.",
      constraints: [{ nulTerminated: true, rule: "luks.header.cipher-nul" }],
    }),
    bytes("cipher_mode", 32, {
      doc:
        "Mode, IV generator and its hash, such as 'cbc-essiv:sha256', with a NUL byte at its end.",
      constraints: [{ nulTerminated: true, rule: "luks.header.mode-nul" }],
    }),
    bytes("hash_spec", 32, {
      doc: "Hash, as text with a NUL byte at its end.",
      constraints: [{ nulTerminated: true, rule: "luks.header.hash-nul" }],
    }),
    u32("payload_offset", {
      doc: "Offset of the encrypted data; 0 if it is in a separate file.",
      unit: "sectors",
      pointsTo: "payload",
      constraints: [
        {
          min: UNIT,
          each: SECTOR,
          when: "with the header in the same file",
          rule: "luks.header.payload-after-header",
        },
        { multipleOf: UNIT, each: SECTOR, rule: "luks.payload.alignment" },
      ],
    }),
    u32("key_bytes", { doc: "Length of the master key.", unit: "bytes" }),
    bytes("mk_digest", 20, { doc: "Master key checksum from PBKDF2." }),
    bytes("mk_digest_salt", 32, { doc: "Salt of the master key checksum." }),
    u32("mk_digest_iter", {
      doc: "PBKDF2 iterations for the master key checksum.",
      constraints: [{ min: 1, rule: "luks.header.mk-iterations" }],
    }),
    bytes("uuid", 40, { doc: "UUID of the partition, as text with a NUL byte at its end." }),
  ],
);

/** A key slot. Eight of them follow the header. */
export const keySlot = struct(
  "luks1.key_slot",
  { section: "LUKS1 On-Disk Format 1.2.3, 3.1 Version 1, Figure 2", size: 48 },
  [
    u32("active", {
      doc: "State of the key slot.",
      values: slotStates,
      constraints: [{ oneOf: "values", rule: "luks.slot.state" }],
    }),
    u32("iterations", {
      doc: "PBKDF2 iterations for the passphrase.",
      constraints: [{ min: 1, when: "in an enabled slot", rule: "luks.slot.iterations" }],
    }),
    bytes("salt", 32, { doc: "Salt of PBKDF2 for the passphrase." }),
    u32("key_material_offset", {
      doc: "Offset of the key material.",
      unit: "sectors",
      pointsTo: "key_material",
      constraints: [
        { min: "header size", each: SECTOR, rule: "luks.slot.after-header" },
        { min: UNIT, each: SECTOR, rule: "luks.slot.alignment" },
      ],
    }),
    u32("stripes", {
      doc: "Number of anti-forensic stripes.",
      constraints: [{ oneOf: [STRIPES], rule: "luks.slot.stripes" }],
    }),
  ],
);

/** Every structure of LUKS version 1. */
export const luks1Structures: readonly Struct[] = [header, keySlot];

/** Key slots of a header. */
export const SLOTS = 8;
/** Length of the header with its key slots, in bytes. */
export const HEADER_BYTES: number = header.size + SLOTS * keySlot.size;
/** Length of a salt in bytes. */
export const SALT_BYTES: number = fieldOf(keySlot, "salt").width;
/** Length of the digest of a master key in bytes. */
export const DIGEST_BYTES: number = fieldOf(header, "mk_digest").width;
