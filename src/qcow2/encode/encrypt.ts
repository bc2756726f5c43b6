import { SECTOR } from "../../bytes/mod.ts";
import { legacyAes } from "../../crypto/mod.ts";
import { type CipherSpec, Luks1Volume } from "../../luks1/mod.ts";

/**
 * Encrypts clusters in place. `at` has the offsets of the first on the guest's disk and in its
 * file.
 */
export type Encrypt = (
  bytes: Uint8Array,
  at: { readonly guest: number; readonly host: number },
) => void;

/** The legacy encryption, which counts sectors on the guest's disk. */
export function legacyEncryption(passphrase: Uint8Array): Encrypt {
  const cipher = legacyAes(passphrase);
  return (bytes, { guest }) => cipher.encrypt(bytes, BigInt(guest / SECTOR));
}

/**
 * The encryption of a LUKS header inside the image, which counts sectors in the file that stores
 * the clusters.
 */
export function luksEncryption(spec: CipherSpec, masterKey: Uint8Array): Encrypt {
  const volume = new Luks1Volume(spec, masterKey);
  return (bytes, { host }) => volume.encryptSectors(bytes, BigInt(host / SECTOR));
}
