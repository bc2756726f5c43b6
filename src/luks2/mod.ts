/**
 * LUKS version 2.
 *
 * Invariants of a sound volume:
 *
 * - A header has two copies, one behind the other. Each is a binary header of 4096 bytes and a JSON
 *   area, with a checksum over both, and as long as the place of the second one says. Of two sound
 *   copies the one with the greater sequence number counts, and either one is enough.
 * - The JSON says everything else. Its numbers of 64 bits are strings of digits; key slots, digests,
 *   segments and tokens are named by numbers, and refer to each other by these names.
 * - Behind the copies lies the area for key slots. Each slot has an area of its own in it: the volume
 *   key, split into 4000 stripes and encrypted with a key that a passphrase gives, by PBKDF2 or Argon2.
 * - A digest tells whether a key is the one of a segment: whether a passphrase is right can be told
 *   without the payload.
 * - The segment is the payload. Its sectors have 512 to 4096 bytes, and are numbered by 512 bytes from
 *   its start and from its iv_tweak on. A detached header has its segment at offset 0 of another file.
 * - During an online reencryption there are several segments, which one behind the other are the
 *   content, with the old key, the new one, or none: a passphrase has to open a key slot for both. A
 *   segment in which it was interrupted is told from what was kept of it: see `recovery.ts`. Others
 *   are kept as backups, and are no content. A digest tells whether all that was written by who had
 *   the keys.
 *
 * QEMU does not know the format: what is refused is what cryptsetup 2.6 refuses, and its luksDump is
 * what the rules call `info`. A copy that is not sound is one finding where the other one is; the rules
 * that it breaks are findings of their own where neither is.
 *
 * How much work a header can ask for is bounded before any is done: see `WORK_BUDGET`,
 * `ARGON2_MEMORY_MAX`, and for the JSON the rule `luks2.work.values`. Content with integrity is not
 * read, nor that of several segments without an online reencryption: cryptsetup takes the first one
 * for all of it (lib/luks2/luks2_json_metadata.c, LUKS2_activate), and the specification has no such
 * volume.
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
export { Luks2Layer } from "./layer.ts";
export type { CopyState, KdfModel, Luks2KeyModel, Luks2Model } from "./model.ts";
export { normaliseLuks2 } from "./build/normalise.ts";
export type { AddFinding, Luks2Broken } from "./findings.ts";
export { type Luks2Rule, luks2Rules } from "./rules.ts";
export { header, luks2Structures, PRIMARY_MAGIC, SECONDARY_MAGIC } from "./structures.ts";
export { unlock, type Unlocked, type UnlockOptions } from "./keyslots/unlock.ts";
export { ARGON2_MEMORY_MAX, WORK_BUDGET } from "./keyslots/budget.ts";
