/** Cases of key slots, their areas, the keys and the content of LUKS version 2. */

import { type Case, casesOf } from "../case.ts";
import { type CaseEdit, json, jsonCopy, overwrite, resize } from "../edit.ts";
import { AREA, base, DATA, FIRST, modelOf, oneKey } from "./models.ts";
import { cryptSegment } from "./reencrypting.ts";

const { pair, field } = casesOf(base);

const salt = btoa("x".repeat(32));
const rawArea = { type: "raw", encryption: "aes-xts-plain64", key_size: 64 };

/** One key with Argon2. */
const oneArgonKey = modelOf({
  keys: [{
    slot: 3,
    passphrase: "first",
    kdf: { type: "argon2id", time: 1, memory: 32, cpus: 1 },
    priority: 1,
  }],
});

/** Bytes of key material, more than an area of one page. */
const MATERIAL = 256000;

/** The only key has an area of one page. */
function shortArea(offset: number): CaseEdit {
  return json("/keyslots/0/area", { ...rawArea, offset: String(offset), size: "4096" });
}

const af = { type: "luks1", stripes: 4000, hash: "sha256" };
const pbkdf2 = { type: "pbkdf2", hash: "sha256", iterations: 2, salt };

const slotCases: readonly Case[] = [
  pair("luks2.area.readable", {
    shows: "the key material ends one page after the page in which the file ends",
    base: oneKey,
    breaks: [shortArea(53248)],
    keeps: [shortArea(49152)],
  }),
  pair("luks2.area.readable", {
    shows: "the key material ends one byte after the end of the file",
    base: oneKey,
    breaks: [shortArea(53248), resize(53248 + MATERIAL - 1)],
    keeps: [shortArea(53248), resize(53248 + MATERIAL)],
  }),
  pair("luks2.area.random", {
    shows: "a sector of one value replaces the first sector of key material, not the one behind it",
    base: oneKey,
    breaks: [overwrite(FIRST, new Uint8Array(512).fill(0x55))],
    keeps: [overwrite(FIRST + MATERIAL, new Uint8Array(512).fill(0x55))],
  }),
  field("luks2.keyslot.fields", "/json/keyslots/0/key_size", { bad: -1, good: 64 }),
  field("luks2.keyslot.fields", "/json/keyslots/3/key_size", { bad: 2 ** 32, good: 2 ** 32 - 1 }),
  field("luks2.keyslot.fields", "/json/keyslots/3/type", { bad: "", good: "x" }),
  field("luks2.area.fields", "/json/keyslots/0/area/offset", { bad: FIRST, good: String(FIRST) }),
  field("luks2.area.fields", "/json/keyslots/0/area/size", { bad: `${AREA}.`, good: `0${AREA}` }),
  field("luks2.area.fields", "/json/keyslots/3/area", {
    shows: "the area of a key slot is an array, not an object",
    bad: [],
    good: { ...rawArea, offset: String(FIRST + AREA), size: String(AREA) },
  }),
  field("luks2.area.inside", "/json/keyslots/0/area/offset", {
    bad: String(FIRST - 512),
    good: String(FIRST),
  }),
  field("luks2.area.inside", "/json/keyslots/3/area/size", {
    bad: String(DATA - FIRST - AREA + 1),
    good: String(DATA - FIRST - AREA),
  }),
  field("luks2.area.inside", "/json/keyslots/3/area/size", { bad: "0", good: "1" }),
  field("luks2.area.overlap", "/json/keyslots/0/area/size", {
    bad: String(AREA + 1),
    good: String(AREA),
  }),
  field("luks2.area.overlap", "/json/keyslots/3/area", {
    shows: "the area of a key slot is inside that of another one",
    bad: { ...rawArea, offset: String(FIRST + 4096), size: "4096" },
    good: { ...rawArea, offset: String(FIRST + AREA), size: "4096" },
  }),
  field("luks2.area.alignment", "/json/keyslots/3/area/offset", {
    bad: String(FIRST + AREA + 512),
    good: String(FIRST + AREA + 4096),
  }),
  field("luks2.area.alignment", "/json/keyslots/3/area/offset", {
    bad: String(FIRST + AREA + 511),
    good: String(FIRST + AREA),
  }),
  field("luks2.area.raw", "/json/keyslots/0/area/type", { bad: "none", good: "raw" }),
  field("luks2.area.raw", "/json/keyslots/0/area/key_size", { bad: "64", good: 64 }),
  field("luks2.area.size", "/json/keyslots/3/area/size", { bad: "255999", good: "256000" }),
  field("luks2.keyslot.objects", "/json/keyslots/0/af", { bad: undefined, good: af }),
  field("luks2.keyslot.objects", "/json/keyslots/0/kdf", {
    shows: "/keyslots/0/kdf is an array, not an object",
    bad: [],
    good: pbkdf2,
  }),
  field("luks2.kdf.fields", "/json/keyslots/3/kdf/memory", { bad: "32", good: 32 }),
  field("luks2.kdf.fields", "/json/keyslots/0/kdf/hash", { bad: undefined, good: "sha256" }),
  field("luks2.kdf.fields", "/json/keyslots/0/kdf", { bad: { type: "" }, good: { type: "x" } }),
  field("luks2.kdf.other-fields", "/json/keyslots/0/kdf/time", { bad: 1, good: undefined }),
  field("luks2.af.fields", "/json/keyslots/0/af/type", { bad: "luks2", good: "luks1" }),
  field("luks2.af.fields", "/json/keyslots/0/af/stripes", { bad: "4000", good: 4000 }),
  field("luks2.af.stripes", "/json/keyslots/0/af/stripes", { bad: 1, good: 4000 }),
  field("luks2.keyslot.digest", "/json/digests/0/keyslots", { bad: ["0"], good: ["0", "3"] }),
  field("luks2.keyslot.digest", "/json/digests/1", {
    bad: { type: "x", keyslots: ["3"], segments: [] },
    good: { type: "x", keyslots: [], segments: [] },
  }),
  field("luks2.keyslot.priority", "/json/keyslots/0/priority", { bad: 3, good: 2 }),
  field("luks2.keyslot.priority", "/json/keyslots/0/priority", { bad: "1", good: 1 }),
  field("luks2.keyslot.priority", "/json/keyslots/0/priority", { bad: true, good: 1 }),
];

/** A second digest of the segment, for no key slot. */
const secondDigest: readonly CaseEdit[] = [
  jsonCopy("/digests/1", "/digests/0"),
  json("/digests/1/keyslots", []),
  json("/digests/1/segments", ["0"]),
];

const keyCases: readonly Case[] = [
  field("luks2.keyslot.any", "/json/keyslots/0/priority", { bad: 0, good: 1, base: oneKey }),
  pair("luks2.keyslot.any", {
    shows: "the only keys have another digest than the segment",
    breaks: [...secondDigest, json("/digests/0/segments", [])],
    keeps: secondDigest,
  }),
  field("luks2.kdf.type", "/json/keyslots/0/kdf", {
    shows: "the key derivation is argon2d, not argon2i",
    bad: { type: "argon2d", time: 1, memory: 32, cpus: 1, salt },
    good: { type: "argon2i", time: 1, memory: 32, cpus: 1, salt },
  }),
  field("luks2.kdf.salt", "/json/keyslots/0/kdf/salt", {
    shows: "the salt has 31 bytes, not 32",
    bad: btoa("x".repeat(31)),
    good: salt,
  }),
  field("luks2.kdf.salt", "/json/keyslots/0/kdf/salt", {
    shows: "the Base64 of the salt lacks its padding",
    bad: salt.slice(0, -1),
    good: salt,
  }),
  field("luks2.kdf.hash", "/json/keyslots/0/kdf/hash", { bad: "sha257", good: "sha512" }),
  field("luks2.kdf.costs", "/json/keyslots/0/kdf/iterations", { bad: 0, good: 2 }),
  ...([["time", 0, 1], ["cpus", 0, 1], ["memory", 7, 8], ["cpus", 5, 4]] as const)
    .map(([cost, bad, good]) =>
      field("luks2.kdf.costs", `/json/keyslots/3/kdf/${cost}`, { base: oneArgonKey, bad, good })
    ),
  field("luks2.af.hash", "/json/keyslots/0/af/hash", { bad: "sha257", good: "sha512" }),
  field("luks2.area.cipher", "/json/keyslots/0/area/encryption", {
    bad: "aes-xts-plain65",
    good: "aes-xts-plain64",
    base: oneKey,
  }),
  field("luks2.area.cipher", "/json/keyslots/0/area/key_size", { bad: 63, good: 32 }),
  field("luks2.keyslot.key-size", "/json/keyslots/0/key_size", { bad: 0, good: 1 }),
  field("luks2.digest.type", "/json/digests/0/type", { bad: "x", good: "pbkdf2" }),
  field("luks2.digest.values", "/json/digests/0/hash", { bad: "sha257", good: "sha256" }),
  field("luks2.digest.values", "/json/digests/0/iterations", { bad: 0, good: 3 }),
  field("luks2.digest.values", "/json/digests/0/iterations", { bad: 2 ** 32, good: 2 ** 32 + 3 }),
  field("luks2.digest.values", "/json/digests/0/salt", { bad: "=", good: salt }),
  field("luks2.digest.values", "/json/digests/0/digest", {
    shows: "the Base64 of the digest lacks its first letter",
    bad: btoa("x".repeat(20)).slice(1),
    good: btoa("x".repeat(20)),
  }),
  field("luks2.digest.lengths", "/json/digests/0/salt", {
    shows: "the salt of the digest has 1 byte, not 32",
    bad: btoa("x"),
    good: salt,
  }),
  field("luks2.digest.lengths", "/json/digests/0/digest", {
    shows: "the digest has 21 bytes, not 32",
    bad: btoa("x".repeat(21)),
    good: btoa("x".repeat(32)),
  }),
  field("luks2.digest.lengths", "/json/digests/0/digest", {
    shows: "the digest is missing",
    bad: undefined,
    good: btoa("x".repeat(20)),
  }),
  pair("luks2.key.unlock", {
    shows: "the passphrase opens no key slot",
    passphrases: ["third"],
    kept: { passphrases: ["second"] },
  }),
];

// PBKDF2 makes 64 bytes with two digests of 32 in two iterations each. Argon2 fills 32 KiB, which
// count eight per KiB. Each slot has a digest of three iterations, and 256000 bytes of key
// material, by 128.
const WORK = 2 * 2 + 8 * 32 + 2 * 3 + 2 * 2000;
/** A budget that is a little above the work of most volumes. */
const BUDGET = 10_000;

/** The digest has a thousand iterations of a hash. */
function withDigest(hash: string): CaseEdit[] {
  return [
    json("/digests/0/hash", hash),
    json("/digests/0/iterations", 1000),
    json("/digests/0/digest", btoa("x".repeat(20))),
  ];
}

/** The key material is in another cipher. */
function withMaterial(encryption: string): CaseEdit[] {
  return [
    json("/keyslots/0/area/encryption", encryption),
    json("/keyslots/0/area/key_size", 32),
  ];
}

const workCases: readonly Case[] = [
  pair("luks2.work.budget", {
    shows: `the budget is ${WORK - 1}, not ${WORK}`,
    budget: WORK - 1,
    kept: { budget: WORK },
  }),
  pair("luks2.work.budget", {
    shows: "the hash of the digest takes longer than SHA-256",
    budget: BUDGET,
    breaks: withDigest("blake2b-512"),
    keeps: withDigest("sha256"),
  }),
  pair("luks2.work.budget", {
    shows: "the key material is in a mode that runs the cipher for each bit",
    budget: BUDGET,
    breaks: withMaterial("aes-cfb1-plain64"),
    keeps: withMaterial("aes-cbc-plain64"),
  }),
  field("luks2.work.memory", "/json/keyslots/3/kdf/memory", {
    bad: 2 ** 20 + 1,
    good: 2 ** 20,
    kept: { budget: 2 ** 24 },
  }),
  field("luks2.work.key-size", "/json/keyslots/3/key_size", { bad: 4097, good: 4096 }),
];

/** Sectors of 4096 bytes. */
const large = modelOf({ sectorSize: 4096 });

/** Cases of properties that matter only for a read or an open with a kernel device. */
export const kernelCases: readonly Case[] = [
  field("luks2.requirement.known", "/json/config/requirements", {
    bad: { mandatory: ["x"] },
    good: { optional: ["x"] },
  }),
  field("luks2.crypt.sector-size-known", "/json/segments/0/sector_size", { bad: 1536, good: 1024 }),
  field("luks2.crypt.iv-tweak-in-sectors", "/json/segments/0/iv_tweak", {
    bad: "4",
    good: "8",
    base: large,
  }),
  ...[["ctr-benbi", "cbc-benbi"], ["xts-eboiv", "cbc-eboiv"], ["ofb-eboiv", "cbc-eboiv"]]
    .map(([bad, good]) =>
      field("luks2.content.dm-crypt", "/json/segments/0/encryption", {
        base: modelOf({ keyBytes: 32 }),
        bad: `aes-${bad}`,
        good: `aes-${good}`,
      })
    ),
  field("luks2.payload.attached", "/json/segments/0/offset", { bad: "0", good: String(DATA) }),
  field("luks2.payload.header-alone", "/json/segments/0/offset", {
    bad: String(DATA + 8192),
    good: String(DATA + 7680),
  }),
  field("luks2.payload.inside-file", "/json/segments/0/size", { bad: "8704", good: "8192" }),
  pair("luks2.payload.whole-sectors", {
    shows: "a dynamic segment ends inside a sector",
    base: large,
    breaks: [resize(DATA + 8192 - 512)],
    keeps: [resize(DATA + 4096)],
  }),
  field("luks2.content.segments", "/json/segments/0/type", { bad: "linear", good: "crypt" }),
  field("luks2.content.segments", "/json/segments", {
    shows: "the content has a second, linear segment",
    bad: {
      "0": cryptSegment(DATA, 4096),
      "1": { type: "linear", offset: String(DATA + 4096), size: "dynamic" },
    },
    good: { "0": cryptSegment(DATA, "dynamic") },
  }),
  field("luks2.content.segments", "/json/segments/0/integrity", {
    shows: "the segment has integrity",
    bad: { type: "aead", journal_encryption: "none", journal_integrity: "none" },
    good: undefined,
  }),
  field("luks2.content.cipher", "/json/segments/0/encryption", {
    bad: "aes-lrw-benbi",
    good: "aes-xts-benbi",
  }),
  field("luks2.content.cipher", "/json/segments/0/encryption", {
    bad: "cast5-cbc-plain64",
    good: "aes-xts-plain",
  }),
];

/** Cases of key slots and keys. */
export const slotAndKeyCases: readonly Case[] = [...slotCases, ...keyCases, ...workCases];
