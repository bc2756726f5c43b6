/**
 * LUKS version 1.
 *
 * Invariants of a sound volume:
 *
 * - A header of 592 bytes says what the payload is encrypted with, and holds eight key slots. All
 *   integers are big-endian, all texts end with a NUL byte.
 * - Each slot, in use or not, has its key material: the master key, split into 4000 stripes and
 *   encrypted with a key that a passphrase gives. Every slot in use leads to the same master key.
 * - The digest of the master key is in the header: whether a passphrase is right can be told
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

export { type AccessOptions, accessTo, noKey } from "./keyslots/access.ts";
export { luks1Anatomy } from "./anatomy/anatomy.ts";
export { buildLuks1, contentOf } from "./build/build.ts";
export { buildHeader, type BuiltHeader, type HeaderModel, payloadSector } from "./build/header.ts";
export {
  type CreatedLuks1,
  createLuks1,
  encodeHeader,
  type Luks1Options,
} from "./create/create.ts";
export { type CipherSpec, decodeLuks1, type KeySlot, type Luks1Header, specOf } from "./decode.ts";
export { luks1Driver } from "./driver.ts";
export { ITERATIONS_DEFAULT, LUKS_OPTIONS, luksOptions } from "./create/request.ts";
export { createVolume, type Luks1Creation } from "./create/volume.ts";
export { Luks1Error } from "./error.ts";
export { materialSectors, payloadStart } from "./geometry.ts";
export { format as luks1Format, luks1Locks } from "./format.ts";
export { luks1Info } from "./info.ts";
export { judgeLuks1, type Luks1Opening } from "./judge/header.ts";
export { keyAreaIn } from "./keyslots/area.ts";
export type { NewKey, RandomBytes } from "./keyslots/slot.ts";
export { keySteps } from "./keyslots/write_steps.ts";
export {
  addKey,
  type AddKeyOptions,
  type ChangedKeys,
  changeKey,
  type ChangeKeyOptions,
  type Changing,
  eraseKey,
  type EraseKeyOptions,
} from "./keyslots/changes.ts";
export type { KeyModel, Luks1Model } from "./model.ts";
export { normaliseLuks1 } from "./build/normalise.ts";
export type { AddFinding, Luks1Broken } from "./findings.ts";
export { type Luks1Rule, luks1Rules, luks1RuleTable } from "./rules.ts";
export {
  header,
  HEADER_BYTES,
  keySlot,
  luks1Structures,
  LUKS_MAGIC,
  slotStates,
} from "./structures.ts";
export {
  isMasterKey,
  masterKeyOf,
  unlock,
  type Unlocked,
  type UnlockOptions,
} from "./keyslots/unlock.ts";
export { isUsable, Luks1Volume, whyUnusable } from "./volume.ts";
export { ITERATIONS_BUDGET, ITERATIONS_MAX, iterationsOf } from "./keyslots/iterations.ts";
