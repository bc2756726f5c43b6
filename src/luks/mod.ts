/**
 * LUKS version 1.
 *
 * Invariants of a sound volume:
 *
 * - A header of 592 bytes says what the payload is encrypted with, and holds eight key slots. All
 *   integers are big-endian, all texts end with a NUL byte.
 * - Each slot, in use or not, has its key material: the master key, split into 4000 stripes and
 *   encrypted with a key that a passphrase gives. Every slot in use leads to the same master key.
 * - The digest of the master key stands in the header: whether a passphrase is right can be told
 *   without the payload.
 * - Header, key materials and payload do not overlap. A detached header has its payload in another file.
 * - Encryption goes by sectors of 512 bytes. Key material counts them from its own start, and the
 *   payload from its own, wherever in the file it lies; inside qcow2 it is the file that holds the
 *   clusters that they are counted from.
 *
 * Four rules speak of what is done to a volume and not of the volume itself, and have no findings:
 * `luks.open.secret-utf8`, `luks.detached.option-known`, `luks.check.unsupported`, which every volume
 * breaks, and `luks.key.hash-supported`: the backend that QEMU is built with here has all the hashes.
 *
 * How much work a header can ask for is bounded before any is done: see `ITERATIONS_BUDGET`, and for
 * stripes the rule `luks.slot.stripes`.
 *
 * @module
 */

export { type AccessOptions, accessTo, noKey } from "./access.ts";
export { luksAnatomy } from "./anatomy.ts";
export { buildLuks, type BuiltLuks, contentOf } from "./build.ts";
export { type CreatedLuks, createLuks, type LuksOptions } from "./create.ts";
export { type CipherSpec, decodeLuks, type KeySlot, type LuksHeader, specOf } from "./decode.ts";
export { luksDriver } from "./driver.ts";
export { LuksError } from "./error.ts";
export { materialSectors, payloadStart } from "./geometry.ts";
export { luksInfo } from "./info.ts";
export { judgeLuks, type LuksOpening } from "./judge.ts";
export type { NewKey, RandomBytes } from "./key_slot.ts";
export {
  addKey,
  type AddKeyOptions,
  type ChangedKeys,
  changeKey,
  type ChangeKeyOptions,
  eraseKey,
  type EraseKeyOptions,
} from "./keys.ts";
export { LuksLayer } from "./layer.ts";
export type { KeyModel, LuksModel } from "./model.ts";
export { normaliseLuks } from "./normalise.ts";
export type { AddFinding, LuksBroken, LuksRule } from "./report.ts";
export {
  header,
  HEADER_BYTES,
  keySlot,
  LUKS_MAGIC,
  luksStructures,
  slotStates,
} from "./structures.ts";
export { isMasterKey, masterKeyOf, unlock, type Unlocked, type UnlockOptions } from "./unlock.ts";
export { isUsable, LuksVolume, whyUnusable } from "./volume.ts";
export { ITERATIONS_BUDGET, ITERATIONS_MAX, iterationsOf } from "./work.ts";
