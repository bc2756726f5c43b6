/**
 * LUKS version 1.
 *
 * Invariants of a valid volume:
 *
 * - A header of 592 bytes names the encryption of the payload and contains eight key slots. All
 *   integers are big-endian, and all texts end with a NUL byte.
 * - Each slot, enabled or disabled, has an area for key material: the master key, split into 4000
 *   stripes and encrypted with a key derived from a passphrase. All enabled slots contain the same
 *   master key.
 * - The digest of the master key is in the header, so that a passphrase can be verified without the
 *   payload.
 * - Header, key material and payload do not overlap. With a detached header, the payload is in another
 *   file.
 * - Encryption sectors have 512 bytes. They are numbered from the start of the key material or the
 *   payload. Inside qcow2, they are numbered from the start of the file that contains the clusters.
 *
 * Four rules have no findings: `luks.open.secret-utf8`, `luks.detached.option-known` and
 * `luks.check.unsupported` are about operations and not about a volume, and
 * `luks.key.hash-supported` is never broken because the tested QEMU supports all the hashes.
 *
 * The work that a header can require is limited in advance: see `ITERATIONS_BUDGET`, and for stripes
 * the rule `luks.slot.stripes`.
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
export { materialSectors, payloadStart, slotSectors } from "./geometry.ts";
export { format as luks1Format, luks1Damage, luks1Locks } from "./format.ts";
export { luks1Info } from "./info.ts";
export { damagedSlots } from "./judge/material.ts";
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
  unlockSlot,
} from "./keyslots/unlock.ts";
export { isUsable, Luks1Volume, whyUnusable } from "./volume.ts";
export { ITERATIONS_BUDGET, ITERATIONS_MAX, iterationsOf } from "./keyslots/iterations.ts";
