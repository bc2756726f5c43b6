/**
 * The ciphers, modes, IV generators, hashes and key derivation of LUKS1, and of the legacy encryption
 * of qcow and qcow2.
 *
 * Invariants:
 *
 * - Names are those of LUKS headers, and may be any text: what is not known, or does not go together,
 *   is a RangeError and nothing else. The tables have one name for each thing; what hashes, derives keys
 *   or encrypts sectors takes every name that cryptsetup has for it (`canonicalHash`, `canonicalNames`).
 * - Everything is synchronous, and a function of its arguments alone.
 * - Bytes are transformed in place. What is transformed is whole blocks, or whole sectors.
 * - No key, passphrase or content is in a message of an error.
 * - AES, the hashes and PBKDF2 are the platform's; what the platform lacks is written here and held to
 *   its published vectors. Nothing is done against who can measure times: images are under test, not
 *   under attack.
 *
 * @module
 */

export { afMerge, afSplit } from "./af.ts";
export type { BlockCipher } from "./block.ts";
export { blockCipher } from "./block_cipher.ts";
export {
  type CipherFacts,
  type CipherMode,
  cipherModes,
  type CipherName,
  cipherNames,
  cipherTable,
  isCipherMode,
  isCipherName,
  type QemuCipher,
  qemuModes,
  volumeKeyLengths,
} from "./ciphers.ts";
export { whyNotAsDmCrypt } from "./dm_crypt.ts";
export { hash } from "./hash.ts";
export { canonicalHash, hashAliases } from "./hash_aliases.ts";
export {
  keyMaterial,
  type KeyMaterialOptions,
  keyOfMaterial,
  type KeyOfMaterialOptions,
  type MaterialKind,
} from "./key_material.ts";
export { derivationCost, hasDigest, type KeyDigest, pbkdf2 } from "./pbkdf2.ts";
export { type HashFacts, type HashName, hashNames, hashTable, isHashName } from "./hashes.ts";
export { isIvGenerator, type IvFacts, type IvGenerator, ivGenerators, ivTable } from "./iv.ts";
export { legacyAes, legacyAesKey } from "./legacy.ts";
export { type SectorCipher, sectorCipher } from "./sector_cipher.ts";
export { canonicalNames, splitMode } from "./spelling.ts";
export type { Table } from "./table.ts";
export type { SectorCipherOptions } from "./sector_options.ts";
export { reasonUnusable } from "./usable.ts";
