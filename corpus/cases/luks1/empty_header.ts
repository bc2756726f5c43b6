import { blank, encode, fieldOf } from "../../../src/layout/mod.ts";
import { header, keySlot, LUKS_MAGIC, slotStates } from "../../../src/luks1/mod.ts";

const SLOTS = 8;
const HEADER_SECTORS = 8;
const SLOT_SECTORS = 256;

/** A LUKS header that no passphrase opens: AES-256 in CBC mode, and eight key slots not in use. */
export const emptyHeader: Uint8Array = Uint8Array.from([
  ...encode(header, {
    ...blank(header),
    magic: LUKS_MAGIC,
    version: 1,
    cipher_name: text("cipher_name", "aes"),
    cipher_mode: text("cipher_mode", "cbc-plain64"),
    hash_spec: text("hash_spec", "sha256"),
    payload_offset: HEADER_SECTORS + SLOTS * SLOT_SECTORS,
    key_bytes: 32,
    mk_digest_iter: 1000,
    uuid: text("uuid", "2d3f9c5e-54a3-4a0c-9d9b-0d8a7f3a9f10"),
  }),
  ...Array.from({ length: SLOTS }, (_, slot) => [
    ...encode(keySlot, {
      ...blank(keySlot),
      active: slotStates.disabled,
      key_material_offset: HEADER_SECTORS + slot * SLOT_SECTORS,
      stripes: 4000,
    }),
  ]).flat(),
]);

function text(field: Parameters<typeof fieldOf<typeof header>>[1], value: string): Uint8Array {
  const bytes = new Uint8Array(fieldOf(header, field).width);
  bytes.set(new TextEncoder().encode(value));
  return bytes;
}
