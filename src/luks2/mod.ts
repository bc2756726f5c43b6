/**
 * LUKS version 2.
 *
 * Invariants of a valid volume:
 *
 * - The header has two copies, one after the other. Each is a binary header of 4096 bytes and a JSON
 *   area, with a checksum over both. Its length is the offset of the secondary copy. Of two valid copies
 *   the one with the greater sequence number is used; one valid copy is enough.
 * - The JSON has everything else: `json/description.ts` describes it once, and it is judged, read,
 *   written, listed and mutated from there. Numbers of 64 bits are strings of digits. Key slots,
 *   digests, segments and tokens have numbers as names, by which they refer to each other.
 * - The keyslots area follows the copies. In it each slot has an area of its own with key material:
 *   the volume key, split into 4000 stripes and encrypted with a key that PBKDF2 or Argon2 derives from
 *   a passphrase.
 * - A digest shows whether a key is that of a segment, without the payload.
 * - The segment is the payload. Its sectors have 512 to 4096 bytes, and are numbered in units of 512
 *   bytes, starting with its iv_tweak. With a detached header it is at offset 0 of another file.
 * - During an online reencryption, several segments in their order are the content, with the old key,
 *   the new one, or none; opening it requires a key slot for each key. The segment in which it was
 *   interrupted is read with the help of the data stored for that: see `reencryption/recovery.ts`. Other
 *   segments are backups, and not content. A digest covers the keys and what the header says about the
 *   reencryption.
 *
 * QEMU does not support the format. Effects are those on cryptsetup 2.6, and `info` in a rule means its
 * luksDump. If one copy is valid, there is one finding for the other. If neither is, each rule that
 * they break is a finding.
 *
 * The work that a header can require is bounded before it is done: see `WORK_BUDGET`,
 * `ARGON2_MEMORY_MAX`, and for the JSON the rule `luks2.work.values`. Content with integrity is not
 * read, and neither are several segments without an online reencryption: cryptsetup uses the first one
 * for all of the content (lib/luks2/luks2_json_metadata.c, LUKS2_activate), and the specification does
 * not have such volumes.
 *
 * @module
 */

export { buildLuks2, luks2Content } from "./build/build.ts";
export { type CopyOptions, encodeCopy, placesOf, withChecksum } from "./build/header.ts";
export type { Metadata } from "./metadata.ts";
export { chooseCopy, type ChosenCopy, type JudgedCopy } from "./copies.ts";
export {
  type CopyName,
  decodeLuks2,
  detectLuks2,
  type HeaderCopy,
  type Luks2Copies,
  type Luks2Header,
} from "./decode.ts";
export { luks2Driver } from "./driver.ts";
export { HEADER_SIZES } from "./geometry.ts";
export { format as luks2Format } from "./format.ts";
export { luks2Info } from "./info.ts";
export type { Digest, Kdf, Keyslot, Luks2Json, Segment, Token } from "./json/description.ts";
export { boundaries, type DescribedMember, describedMembers, memberAt } from "./json/members.ts";
export type { Member } from "./json/schema.ts";
export type { JsonNode, JsonParsed } from "./json/value.ts";
export { parseJson } from "./json/parser.ts";
export { deriveKey, kdfFault } from "./keyslots/kdf.ts";
export type { CopyState, KdfModel, Luks2KeyModel, Luks2Model } from "./model.ts";
export { normaliseLuks2 } from "./build/normalise.ts";
export type { AddFinding, Luks2Broken } from "./findings.ts";
export { type Luks2Rule, luks2Rules } from "./rules.ts";
export { header, luks2Structures, PRIMARY_MAGIC, SECONDARY_MAGIC } from "./structures.ts";
export { unlock, type Unlocked, type UnlockOptions } from "./keyslots/unlock.ts";
export { ARGON2_MEMORY_MAX, WORK_BUDGET } from "./keyslots/budget.ts";
export { protectedBytes } from "./reencryption/digest.ts";
