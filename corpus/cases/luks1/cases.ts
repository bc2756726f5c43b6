/** Cases of LUKS version 1. */

import type { RuleId } from "../../../src/rules/mod.ts";
import { type Case, casesOf, type SingleImage, type Value } from "../case.ts";
import { bytes, cutAfter, resize, set, text } from "../edit.ts";
import { modelOf, UUID } from "./models.ts";

const base = modelOf();
const { pair, field } = casesOf(base);

/** Sectors of the key material of a 16-byte key, and of the space for it. */
const MATERIAL = 125;
const RESERVED = 128;
const LAST_SLOT = 8 + 7 * RESERVED;
const PAYLOAD = 8 + 8 * RESERVED;

const CIPHER = "/header/cipher_name";
const MODE = "/header/cipher_mode";
const HASH = "/header/hash_spec";
const KEY_BYTES = "/header/key_bytes";
const PAYLOAD_OFFSET = "/header/payload_offset";

/** Sets the offset of the key material of a slot. */
function materialOf(slot: number): string {
  return `/key_slots/${slot}/key_material_offset`;
}

const headerCases: readonly Case[] = [
  pair("luks.open.key-present", {
    shows: "there is no passphrase",
    passphrases: [],
    kept: { passphrases: ["first"] },
  }),
  pair("luks.header.readable", {
    shows: "the file ends after 591 bytes, not after 592",
    breaks: [resize(591)],
    keeps: [resize(592)],
  }),
  pair("luks.header.magic", {
    shows: "the last byte of the magic is 0xbf, not 0xbe",
    breaks: [bytes("/header", [0xbf], 5)],
  }),
  field("luks.header.version", "/header/version", { bad: 2, good: 1 }),
  field("luks.header.version", "/header/version", { bad: 0, good: 1 }),
  field("luks.header.cipher-nul", CIPHER, { bad: "a".repeat(32), good: "a".repeat(31) }),
  field("luks.header.mode-nul", MODE, {
    bad: "cbc-plain64".padEnd(32, "x"),
    good: "cbc-plain64\0".padEnd(32, "x"),
  }),
  field("luks.header.hash-nul", HASH, {
    bad: "sha256".padEnd(32, "x"),
    good: "sha256\0".padEnd(32, "x"),
  }),
  field("luks.header.payload-after-header", PAYLOAD_OFFSET, { bad: 7, good: 8 }),
  field("luks.detached.standalone", PAYLOAD_OFFSET, { bad: 0, good: 1 }),
  field("luks.header.mk-iterations", "/header/mk_digest_iter", { bad: 0, good: 1 }),
  field("luks.header.uuid", "/header/uuid", {
    bad: UUID.slice(0, -1),
    good: UUID.replace("d3f9c5e", "D3F9C5E"),
  }),
  field("luks.header.uuid", "/header/uuid", { bad: `${UUID}xxxx`, good: `${UUID}\0xxx` }),
];

const slotCases: readonly Case[] = [
  field("luks.slot.stripes", "/key_slots/7/stripes", { bad: 3999, good: 4000 }),
  field("luks.slot.stripes", "/key_slots/0/stripes", { bad: 4001, good: 4000 }),
  field("luks.slot.state", "/key_slots/3/active", { bad: 0xdeae, good: 0xdead }),
  field("luks.slot.state", "/key_slots/0/active", { bad: 0xcafe, good: 0xac71f3 }),
  field("luks.slot.iterations", "/key_slots/2/iterations", { bad: 0, good: 1 }),
  field("luks.slot.after-header", materialOf(7), { bad: 1, good: 2 }),
  field("luks.slot.alignment", materialOf(7), { bad: 7, good: 8 }),
  field("luks.slot.before-payload", PAYLOAD_OFFSET, {
    bad: LAST_SLOT + MATERIAL - 1,
    good: LAST_SLOT + MATERIAL,
  }),
  field("luks.slot.alignment", PAYLOAD_OFFSET, { bad: PAYLOAD - 1, good: PAYLOAD }),
  field("luks.slot.no-overlap", materialOf(6), {
    bad: LAST_SLOT - MATERIAL + 1,
    good: LAST_SLOT - MATERIAL,
  }),
  field("luks.slot.alignment", materialOf(6), {
    bad: LAST_SLOT - RESERVED + 1,
    good: LAST_SLOT - RESERVED,
  }),
  field("luks.slot.no-overlap", materialOf(5), { bad: 8, good: 8 + 5 * RESERVED }),
  field("luks.slot.end-range", materialOf(7), {
    bad: 2 ** 32 - RESERVED,
    good: 2 ** 32 - RESERVED - 1,
  }),
  field("luks.slot.material-inside-file", materialOf(2), {
    bad: 2 ** 32 - RESERVED,
    good: 8 + 2 * RESERVED,
  }),
  pair("luks.slot.material-random", {
    shows: "the first sector of key material is zero, not the sector after the key material",
    breaks: [bytes("/key_material[0]", new Uint8Array(512))],
    keeps: [bytes("/key_material[0]", new Uint8Array(512), MATERIAL * 512)],
  }),
];

const wide = modelOf({ spec: { ...base.spec, keyBytes: 32 } });

/** A pair of modes. */
function mode(rule: RuleId, bad: Value, good: Value): Case {
  return field(rule, MODE, { bad, good });
}

const cipherCases: readonly Case[] = [
  mode("luks.cipher.mode-dash", "ecb", "ecb-plain64"),
  mode("luks.cipher.ivhash-known", "cbc-plain64:sha3", "cbc-plain64:sha1"),
  mode("luks.cipher.ivhash-known", "cbc-plain64:", "cbc-plain64"),
  mode("luks.cipher.mode-known", "lrw-plain64", "ctr-plain64"),
  mode("luks.cipher.mode-known", "CBC-plain64", "cbc-plain64"),
  mode("luks.cipher.mode-known", "cfb-plain64", "cbc-plain64"),
  mode("luks.cipher.mode-known", "ofb-plain64", "ecb-plain64"),
  field("luks.cipher.name-and-size", CIPHER, { bad: "cast6", good: "serpent" }),
  field("luks.cipher.name-and-size", KEY_BYTES, { bad: 15, good: 16 }),
  field("luks.cipher.name-and-size", KEY_BYTES, { bad: 0, good: 16 }),
  field("luks.hash.known", HASH, { bad: "whirlpool", good: "sha512" }),
  field("luks.hash.known", HASH, { bad: "sha-256", good: "sha256" }),
  field("luks.hash.known", HASH, { bad: "SHA256", good: "sha256" }),
  field("luks.hash.known", HASH, { bad: "md5-sha1", good: "md5" }),
  mode("luks.cipher.ivgen-known", "cbc-plain64be", "cbc-plain64"),
  mode("luks.cipher.dm-crypt", "ctr-benbi", "cbc-plain64"),
  mode("luks.cipher.dm-crypt", "cfb8-plain64", "ctr-plain64"),
  mode("luks.cipher.essiv-hash-present", "cbc-essiv", "cbc-essiv:sha256"),
  mode("luks.cipher.essiv-key-size", "cbc-essiv:sha1", "cbc-essiv:md5"),
  pair("luks.key.cipher-supported", {
    shows: "the cipher, in mode xts, is cast5, which nettle does not have, not serpent",
    base: wide,
    breaks: [text(CIPHER, "cast5"), text(MODE, "xts-plain64")],
    keeps: [text(CIPHER, "serpent"), text(MODE, "xts-plain64")],
  }),
  pair("luks.key.cipher-supported", {
    shows: "the hash is sha257, not sha256",
    breaks: [text(HASH, "sha257")],
  }),
  ...[[65, 64], [33, 32]].map(([bad, good]) =>
    field("luks.key.xts-even", KEY_BYTES, { base: xts(64), bad, good })
  ),
  field("luks.key.material-sector-multiple", KEY_BYTES, {
    base: wide,
    bad: 24,
    good: 32,
    happened: "QEMU aborts, and a password cracker wrote behind its buffer",
    flags: ["crash", "over-read", "security"],
  }),
  pair("luks.key.unlock", {
    shows: "the passphrase is another one",
    passphrases: ["First"],
    kept: { passphrases: ["first"] },
  }),
  pair("luks.slot.any-enabled", {
    shows: "no key slot is enabled",
    breaks: [set("/key_slots/0/active", 0xdead), set("/key_slots/2/active", 0xdead)],
    kept: { passphrases: ["second"] },
  }),
  pair("luks.work.iterations-budget", {
    shows: "the budget is 12 iterations; two slots and two digests take 13",
    budget: 12,
    kept: { budget: 13 },
  }),
];

const payloadCases: readonly Case[] = [
  field("luks.payload.header-alone", PAYLOAD_OFFSET, { bad: PAYLOAD + 8 + 1, good: PAYLOAD + 8 }),
  field("luks.payload.empty", PAYLOAD_OFFSET, { bad: PAYLOAD + 8, good: PAYLOAD + 7 }),
  pair("luks.size.512", {
    shows: "the file ends one byte after a sector",
    base: modelOf({ tail: 1 }),
    kept: { base },
  }),
  pair("luks.payload.alignment", {
    shows: "the payload starts one sector after a multiple of 4096, not 8 sectors",
    base: modelOf({ gap: 1 }),
    kept: { base: modelOf({ gap: 8 }) },
  }),
];

/** Cases of a volume with a detached header, which qemu-img reads since version 9.0. */
const detachedCases: readonly Case[] = (() => {
  const detached = casesOf(modelOf({ detached: true }));
  return [
    detached.pair("luks.payload.inside-file", {
      shows: "the payload of a detached header starts behind the end of its file",
      breaks: [set(PAYLOAD_OFFSET, 9)],
      keeps: [set(PAYLOAD_OFFSET, 8)],
    }),
    detached.pair("luks.slot.material-inside-file", {
      shows: "a detached header ends one byte before the key material of an enabled slot does",
      breaks: [cutAfter("/key_material[2]", -1)],
      keeps: [cutAfter("/key_material[2]", 0)],
    }),
    detached.pair("luks.slot.no-overlap", {
      shows: "the key material of a slot of a detached header overlaps that of another one",
      breaks: [set(materialOf(7), 8)],
      keeps: [set(materialOf(7), 5000)],
    }),
  ];
})();

/** The cases of LUKS version 1. */
export const luks1Cases: readonly Case[] = [
  ...headerCases,
  ...slotCases,
  ...cipherCases,
  ...payloadCases,
  ...detachedCases,
];

/** A volume in mode XTS with a master key of so many bytes. */
function xts(keyBytes: number, more: Parameters<typeof modelOf>[0] = {}): typeof base {
  return modelOf({ spec: { ...base.spec, mode: "xts", keyBytes }, ...more });
}

/**
 * XTS keys that overflow a buffer of libluksde 20200205, and the longest one that does not
 * (`luksdeinfo -p`: "stack smashing detected").
 */
export const luks1Sound: readonly SingleImage[] = [64, 48, 32].map((keyBytes) => ({
  name: `luks.key.xts-even-${keyBytes}-bytes`,
  rule: "luks.key.xts-even",
  shows: `the mode is xts, and the key has ${keyBytes} bytes`,
  base: xts(keyBytes, { material: "sparse" }),
  edits: [],
  crashes: [["luksdeinfo", "-p", "first", "image"]],
}));
