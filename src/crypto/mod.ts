/**
 * The ciphers, modes, IV generators, hashes and key derivation of LUKS1, and of the legacy encryption
 * of qcow and qcow2.
 *
 * Invariants:
 *
 * - Names are those of LUKS headers, and may be any text: an unknown name or a combination that
 *   does not exist is always a RangeError. The tables have one name for each thing. Functions that
 *   hash, derive keys or encrypt sectors accept every name that cryptsetup has for it
 *   (`canonicalHash`, `canonicalNames`).
 * - Everything is synchronous and depends only on its arguments.
 * - Bytes are transformed in place, in whole blocks or whole sectors.
 * - No error message contains a key, a passphrase or content.
 * - AES, the hashes and PBKDF2 are those of the platform. Code for the rest is here and is tested
 *   with published vectors. It is not protected against timing attacks: images are under test, not
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
export { KeptKeys, type KeySource } from "./kept_keys.ts";
export {
  keyMaterial,
  type KeyMaterialOptions,
  keyOfMaterial,
  type KeyOfMaterialOptions,
  type MaterialKind,
} from "./key_material.ts";
export { damageText, type MaterialDamage, materialDamage } from "./material_damage.ts";
export { derivationCost, hasDigest, type KeyDigest, pbkdf2 } from "./pbkdf2.ts";
export { type HashFacts, type HashName, hashNames, hashTable, isHashName } from "./hashes.ts";
export { isIvGenerator, type IvFacts, type IvGenerator, ivGenerators, ivTable } from "./iv.ts";
export { legacyAes, legacyAesKey } from "./legacy.ts";
export { type SectorCipher, sectorCipher } from "./sector_cipher.ts";
export { canonicalNames, splitMode } from "./spelling.ts";
export type { Table } from "./table.ts";
export type { SectorCipherOptions } from "./sector_options.ts";
export { reasonUnusable } from "./usable.ts";
