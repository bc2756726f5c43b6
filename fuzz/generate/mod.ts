/**
 * Arbitraries and expected content that the kits share: disks, encryption and values.
 *
 * Invariants:
 *
 * - A value depends only on the random numbers of the arbitrary.
 *
 * @module
 */

export { type ExpectedDisk, flatDisk, guestDisk, merged, NO_DISK, type Range } from "./disk.ts";
export {
  type EncryptionOptions,
  KEY_WORDS,
  type KeyChoice,
  keyChoices,
  legacyEncryptions,
  PASSPHRASES,
  sometimes,
  strangePassphrase,
} from "./encryption.ts";
export { FAR_SHARE, type HoleDraw, holeDrawOf, holeDraws, holeOf } from "./holes.ts";
export {
  compressedPattern,
  fileNames,
  longPath,
  mostly,
  patterns,
  picks,
  shortPath,
  word64,
  words,
} from "./values.ts";
