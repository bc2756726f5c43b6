import { cipherTable, hashTable, ivTable, type QemuCipher, qemuModes } from "../crypto/mod.ts";
import type { CipherSpec } from "./decode.ts";

/** QEMU's support for the names in a header (crypto/block-luks.c), in the newest version, with nettle. */

export function qemuHasHash(name: string): boolean {
  return typeof hashTable[name]?.qemu === "string";
}

export function qemuHasMode(name: string): boolean {
  return (qemuModes as readonly string[]).includes(name);
}

export function qemuHasIvGenerator(name: string): boolean {
  return ivTable[name]?.qemu ?? false;
}

/** Length in bytes of the key that selects the cipher: in xts mode, half of the master key. */
export function cipherKeyBytes({ mode, keyBytes }: CipherSpec): number {
  return mode === "xts" ? Math.floor(keyBytes / 2) : keyBytes;
}

/** Whether QEMU supports the cipher with such a key. */
export function qemuHasCipher(spec: CipherSpec): boolean {
  return qemuCipher(spec)?.keyLengths.includes(cipherKeyBytes(spec)) ?? false;
}

/** Whether nettle has a cipher that QEMU supports in this mode. */
export function nettleHasMode(spec: CipherSpec): boolean {
  return (qemuCipher(spec)?.modes as readonly string[] | undefined)?.includes(spec.mode) ?? false;
}

/** Whether the digest length of the essiv hash is a key length of a cipher that QEMU supports. */
export function essivFits(spec: CipherSpec): boolean {
  const digest = hashTable[spec.ivHash ?? ""]?.digestSize ?? 0;
  return qemuCipher(spec)?.keyLengths.includes(digest) ?? false;
}

/** QEMU's name for the cipher and its key: `aes-256`. */
export function cipherAlg(spec: CipherSpec): string {
  return spec.cipher === "sm4" ? "sm4" : `${spec.cipher}-${8 * cipherKeyBytes(spec)}`;
}

function qemuCipher({ cipher }: CipherSpec): QemuCipher | undefined {
  return cipherTable[cipher]?.qemu ?? undefined;
}
