import { type SectorCipher, sectorCipher } from "./sector_cipher.ts";

/** Bytes of the key of the legacy encryption. */
const KEY_LENGTH = 16;

/**
 * The key of the legacy encryption of qcow, and of qcow2 with crypt_method 1: the passphrase itself
 * up to its first zero byte, cut or zero-padded to 16 bytes (QEMU 10.0, crypto/block-qcow.c,
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
 * mode, with the number of the guest sector as vector, as in `plain64`.
 *
 * The specification of qcow2 mentions 256-bit keys for crypt_method 1, but no version of QEMU has
 * ever used them. There is no way to check whether a passphrase is the right one.
 */
export function legacyAes(passphrase: Uint8Array): SectorCipher {
  return sectorCipher(
    { cipher: "aes", mode: "cbc", ivGenerator: "plain64" },
    legacyAesKey(passphrase),
  );
}
