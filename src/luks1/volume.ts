import { SECTOR } from "../bytes/mod.ts";
import {
  canonicalHash,
  reasonUnusable,
  type SectorCipher,
  sectorCipher,
  type SectorCipherOptions,
  whyNotAsDmCrypt,
} from "../crypto/mod.ts";
import type { CipherSpec } from "./decode.ts";

/** Decrypts and encrypts the sectors of a volume with a known key. */
export class Luks1Volume {
  readonly #cipher: SectorCipher;

  /**
   * @param spec for which {@link isUsable} is true
   * @param key master key, or for key material the key derived from a passphrase
   */
  constructor(spec: CipherSpec, key: Uint8Array) {
    this.#cipher = sectorCipher(optionsOf(spec), key);
  }

  /**
   * Decrypts whole sectors in place.
   *
   * @param firstSector number of the first one, from the start of the payload, or inside qcow2 from
   * the start of the file that contains the clusters
   */
  decryptSectors(bytes: Uint8Array, firstSector: bigint): void {
    this.#cipher.decrypt(bytes, firstSector);
  }

  /** Encrypts whole sectors in place; the inverse of {@link decryptSectors}. */
  encryptSectors(bytes: Uint8Array, firstSector: bigint): void {
    this.#cipher.encrypt(bytes, firstSector);
  }
}

/** Whether a volume with these names and this key length can be read and written. */
export function isUsable(spec: CipherSpec): boolean {
  return whyUnusable(spec) === undefined;
}

/** Why a volume with these names and this key length cannot be read and written, as a sentence. */
export function whyUnusable(spec: CipherSpec): string | undefined {
  if (canonicalHash(spec.hash) === undefined) {
    return `Cannot use the hash ${JSON.stringify(spec.hash)}: it is not known`;
  }
  return reasonUnusable(optionsOf(spec), spec.keyBytes);
}

/** Why dm-crypt reads other content from a volume with these names, or none, as a sentence. */
export function notAsDmCrypt(spec: CipherSpec): string | undefined {
  return whyNotAsDmCrypt(optionsOf(spec));
}

function optionsOf({ cipher, mode, ivGenerator, ivHash }: CipherSpec): SectorCipherOptions {
  // Only ecb needs no IV generator.
  return { cipher, mode, ivGenerator: ivGenerator ?? "", ivHash, sectorSize: SECTOR };
}
