import { type SectorCipher, sectorCipher } from "./sector_cipher.ts";

/** Bytes of the key of the legacy encryption. */
const KEY_LENGTH = 16;

/**
 * The key of the legacy encryption of qcow, and of qcow2 with crypt_method 1: the passphrase itself up
 * to its first zero byte, cut or filled with zeros to 16 bytes (QEMU 10.0, crypto/block-qcow.c,
 * `qcrypto_block_qcow_init`).
 */
export function legacyAesKey(passphrase: Uint8Array): Uint8Array {
  const key = new Uint8Array(KEY_LENGTH);
  const end = passphrase.indexOf(0);
  const text = passphrase.subarray(0, end < 0 ? passphrase.length : end);
  key.set(text.subarray(0, KEY_LENGTH));
  return key;
}

/**
 * The legacy encryption of qcow, and of qcow2 with crypt_method 1: AES with keys of 128 bits in CBC
 * mode, with the number of the guest's sector as `plain64` has it for a vector.
 *
 * The specification of qcow2 speaks of 256-bit keys under crypt_method 1; no QEMU has ever used such.
 * Nothing tells whether a passphrase is the right one.
 */
export function legacyAes(passphrase: Uint8Array): SectorCipher {
  return sectorCipher(
    { cipher: "aes", mode: "cbc", ivGenerator: "plain64" },
    legacyAesKey(passphrase),
  );
}
