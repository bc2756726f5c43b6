/** For every rule of key slots, their areas, the keys and the content, pairs of volumes. */

import type { Luks2Model } from "../../src/luks2/mod.ts";
import type { Volume } from "./ours.ts";
import { cryptSegment } from "./reencrypting.ts";
import { pair, type RuleCase, set, value } from "./rule_case.ts";
import { type AnyJson, type Change, changedVolume, volumeOf } from "./volumes.ts";

const AREA = 258048;
const FIRST = 2 * 0x4000;
const END = FIRST + 2 * AREA + 8192;
const salt = btoa("x".repeat(32));

/** The area of the second key slot. */
const rawArea = { type: "raw", encryption: "aes-xts-plain64", key_size: 64 };

/** A key with Argon2. */
const argonKey = {
  slot: 3,
  passphrase: "first",
  kdf: { type: "argon2id", time: 1, memory: 32, cpus: 1 },
  priority: 1,
} as const;

/** A volume with one key whose area is a page; its material takes 256000 bytes from there on. */
function shortArea(offset: number, size?: number): Volume {
  const area = { ...rawArea, offset: String(offset), size: "4096" };
  const edit: Change = { json: (root) => set(root, "/keyslots/0/area", area) };
  return changedVolume(oneKey(), edit, ...size === undefined ? [] : [{ size }]);
}

/** A volume whose digest has a thousand iterations of a hash, and a budget for some more of SHA-256. */
function withDigest(hash: string): Volume {
  const digest = btoa("x".repeat(20));
  const changes = { hash, iterations: 1000, digest };
  const json = (root: AnyJson) => void Object.assign(root.digests["0"], changes);
  return { ...changedVolume({}, { json }), iterationsMax: 10_000 };
}

/** A volume whose key material is in another cipher, and a budget for what takes no longer than most. */
function withMaterial(encryption: string): Volume {
  const json = (root: AnyJson) =>
    void Object.assign(root.keyslots["0"].area, { encryption, key_size: 32 });
  return { ...changedVolume({}, { json }), iterationsMax: 10_000 };
}

const slotCases: RuleCase[] = [
  {
    rule: "luks2.area.readable",
    about: "the material of the key ends a page behind the one in which the file does",
    broken: shortArea(53248),
    kept: shortArea(49152),
  },
  {
    rule: "luks2.area.readable",
    about: "the material of the key ends a byte behind the file",
    broken: shortArea(53248, 53248 + 255999),
    kept: shortArea(53248, 53248 + 256000),
  },
  value("luks2.keyslot.fields", "/keyslots/0/key_size", { broken: -1, kept: 64 }),
  value("luks2.keyslot.fields", "/keyslots/3/key_size", { broken: 2 ** 32, kept: 2 ** 32 - 1 }),
  value("luks2.keyslot.fields", "/keyslots/3/type", { broken: "", kept: "x" }),
  value("luks2.area.fields", "/keyslots/0/area/offset", {
    broken: FIRST,
    kept: String(FIRST),
  }),
  value("luks2.area.fields", "/keyslots/0/area/size", { broken: `${AREA}.`, kept: `0${AREA}` }),
  value("luks2.area.inside", "/keyslots/0/area/offset", {
    broken: String(FIRST - 512),
    kept: String(FIRST),
  }),
  value("luks2.area.inside", "/keyslots/3/area/size", {
    broken: String(END - FIRST - AREA + 1),
    kept: String(END - FIRST - AREA),
  }),
  value("luks2.area.inside", "/keyslots/3/area/size", { broken: "0", kept: "1" }),
  value("luks2.area.overlap", "/keyslots/0/area/size", {
    broken: String(AREA + 1),
    kept: String(AREA),
  }),
  value("luks2.area.overlap", "/keyslots/3/area", {
    broken: { ...rawArea, offset: String(FIRST + 4096), size: "4096" },
    kept: { ...rawArea, offset: String(FIRST + AREA), size: "4096" },
  }),
  value("luks2.area.alignment", "/keyslots/3/area/offset", {
    broken: String(FIRST + AREA + 512),
    kept: String(FIRST + AREA + 4096),
  }),
  value("luks2.area.alignment", "/keyslots/3/area/offset", {
    broken: String(FIRST + AREA + 511),
    kept: String(FIRST + AREA),
  }),
  value("luks2.area.raw", "/keyslots/0/area/type", { broken: "none", kept: "raw" }),
  value("luks2.area.raw", "/keyslots/0/area/key_size", { broken: "64", kept: 64 }),
  value("luks2.area.size", "/keyslots/3/area/size", { broken: "255999", kept: "256000" }),
  value("luks2.keyslot.objects", "/keyslots/0/af", { broken: undefined, kept: rawAf() }),
  value("luks2.keyslot.objects", "/keyslots/0/kdf", { broken: [], kept: pbkdf2() }),
  value("luks2.kdf.fields", "/keyslots/3/kdf/memory", { broken: "32", kept: 32 }),
  value("luks2.kdf.fields", "/keyslots/0/kdf/hash", { broken: undefined, kept: "sha256" }),
  value("luks2.kdf.fields", "/keyslots/0/kdf", { broken: { type: "" }, kept: { type: "x" } }),
  value("luks2.kdf.other-fields", "/keyslots/0/kdf/time", { broken: 1, kept: undefined }),
  value("luks2.af.fields", "/keyslots/0/af/type", { broken: "luks2", kept: "luks1" }),
  value("luks2.af.fields", "/keyslots/0/af/stripes", { broken: "4000", kept: 4000 }),
  value("luks2.af.stripes", "/keyslots/0/af/stripes", { broken: 1, kept: 4000 }),
  value("luks2.keyslot.digest", "/digests/0/keyslots", { broken: ["0"], kept: ["0", "3"] }),
  value("luks2.keyslot.digest", "/digests/1", {
    broken: { type: "x", keyslots: ["3"], segments: [] },
    kept: { type: "x", keyslots: [], segments: [] },
  }),
  value("luks2.keyslot.priority", "/keyslots/0/priority", { broken: 3, kept: 2 }),
  value("luks2.keyslot.priority", "/keyslots/0/priority", { broken: "1", kept: 1 }),
];

function rawAf(): unknown {
  return { type: "luks1", stripes: 4000, hash: "sha256" };
}

function pbkdf2(): unknown {
  return { type: "pbkdf2", hash: "sha256", iterations: 2, salt };
}

const keyCases: RuleCase[] = [
  value("luks2.keyslot.any", "/keyslots/0/priority", { broken: 0, kept: 1, model: oneKey() }),
  pair("luks2.keyslot.any", "the only keys have another digest than the segment", {
    broken: {
      json: (root) => {
        root.digests["1"] = { ...root.digests["0"], keyslots: [], segments: ["0"] };
        root.digests["0"].segments = [];
      },
    },
    kept: {
      json: (root) =>
        void (root.digests["1"] = { ...root.digests["0"], keyslots: [], segments: ["0"] }),
    },
  }),
  value("luks2.kdf.type", "/keyslots/0/kdf", {
    broken: { type: "argon2d", time: 1, memory: 32, cpus: 1, salt },
    kept: { type: "argon2i", time: 1, memory: 32, cpus: 1, salt },
  }),
  value("luks2.kdf.salt", "/keyslots/0/kdf/salt", { broken: btoa("x".repeat(31)), kept: salt }),
  value("luks2.kdf.salt", "/keyslots/0/kdf/salt", { broken: salt.slice(0, -1), kept: salt }),
  value("luks2.kdf.hash", "/keyslots/0/kdf/hash", { broken: "sha257", kept: "sha512" }),
  value("luks2.kdf.costs", "/keyslots/0/kdf/iterations", { broken: 0, kept: 2 }),
  ...[["time", 0, 1], ["cpus", 0, 1], ["memory", 7, 8], ["cpus", 5, 4]].map((
    [cost, broken, kept],
  ) =>
    value("luks2.kdf.costs", `/keyslots/3/kdf/${cost}`, {
      broken,
      kept,
      model: { keys: [argonKey] },
    })
  ),
  value("luks2.af.hash", "/keyslots/0/af/hash", { broken: "sha257", kept: "sha512" }),
  value("luks2.area.cipher", "/keyslots/0/area/encryption", {
    broken: "aes-xts-plain65",
    kept: "aes-xts-plain64",
    model: oneKey(),
  }),
  value("luks2.area.cipher", "/keyslots/0/area/key_size", { broken: 63, kept: 32 }),
  value("luks2.keyslot.key-size", "/keyslots/0/key_size", { broken: 0, kept: 1 }),
  value("luks2.digest.type", "/digests/0/type", { broken: "x", kept: "pbkdf2" }),
  value("luks2.digest.values", "/digests/0/hash", { broken: "sha257", kept: "sha256" }),
  value("luks2.digest.values", "/digests/0/iterations", { broken: 0, kept: 3 }),
  value("luks2.digest.values", "/digests/0/iterations", { broken: 2 ** 32, kept: 2 ** 32 + 3 }),
  value("luks2.digest.values", "/digests/0/salt", { broken: "=", kept: salt }),
  value("luks2.digest.values", "/digests/0/digest", {
    broken: btoa("x".repeat(20)).slice(1),
    kept: btoa("x".repeat(20)),
  }),
  value("luks2.digest.lengths", "/digests/0/salt", { broken: btoa("x"), kept: salt }),
  value("luks2.digest.lengths", "/digests/0/digest", {
    broken: btoa("x".repeat(21)),
    kept: btoa("x".repeat(32)),
  }),
  value("luks2.digest.lengths", "/digests/0/digest", {
    broken: undefined,
    kept: btoa("x".repeat(20)),
  }),
  {
    rule: "luks2.key.unlock",
    about: "the passphrase is another one",
    broken: { ...volumeOf(), passphrase: "third" },
    kept: { ...volumeOf(), passphrase: "second" },
  },
];

/** One key of either sort, with which a model is no larger than it has to be. */
function oneKey(): Partial<Luks2Model> {
  const kdf = { type: "pbkdf2", hash: "sha256", iterations: 2 } as const;
  return { keys: [{ slot: 0, passphrase: "first", kdf, priority: 1 }] };
}

/** A volume that opens within a budget, or does not. */
function budgeted(iterationsMax: number): Volume {
  return { ...volumeOf(), iterationsMax };
}

// PBKDF2 makes 64 bytes with two digests of 32 in two iterations each; Argon2 fills 32 KiB, which count
// eight each; each slot
// has a digest of three iterations, and 256000 bytes of key material, by 128.
const WORK = 2 * 2 + 8 * 32 + 2 * 3 + 2 * 2000;

const workCases: RuleCase[] = [
  {
    rule: "luks2.work.budget",
    about: `the budget is ${WORK - 1}, not ${WORK}`,
    broken: budgeted(WORK - 1),
    kept: budgeted(WORK),
  },
  {
    rule: "luks2.work.budget",
    about: "the digest is of a hash that takes longer than SHA-256",
    broken: withDigest("blake2b-512"),
    kept: withDigest("sha256"),
  },
  {
    rule: "luks2.work.budget",
    about: "key material is in a mode that runs the cipher for each bit",
    broken: withMaterial("aes-cfb1-plain64"),
    kept: withMaterial("aes-cbc-plain64"),
  },
  {
    ...value("luks2.work.memory", "/keyslots/3/kdf/memory", { broken: 2 ** 20 + 1, kept: 2 ** 20 }),
    kept: {
      ...changedVolume({}, { json: (root) => set(root, "/keyslots/3/kdf/memory", 2 ** 20) }),
      iterationsMax: 2 ** 24,
    },
  },
  {
    ...value("luks2.work.key-size", "/keyslots/3/key_size", { broken: 4097, kept: 4096 }),
  },
];

const DATA = END;

/** Pairs of what only an open with a kernel device looks at. */
export const kernelCases: readonly RuleCase[] = [
  value("luks2.requirement.known", "/config/requirements", {
    broken: { mandatory: ["x"] },
    kept: { optional: ["x"] },
  }),
  value("luks2.crypt.sector-size-known", "/segments/0/sector_size", { broken: 1536, kept: 1024 }),
  value("luks2.crypt.iv-tweak-in-sectors", "/segments/0/iv_tweak", {
    broken: "4",
    kept: "8",
    model: { sectorSize: 4096 },
  }),
  ...[["ctr-benbi", "cbc-benbi"], ["xts-eboiv", "cbc-eboiv"], ["ofb-eboiv", "cbc-eboiv"]].map(
    ([broken, kept]) =>
      pair("luks2.content.dm-crypt", `the mode is ${broken}, not ${kept}`, {
        broken: { json: (root) => set(root, "/segments/0/encryption", `aes-${broken}`) },
        kept: { json: (root) => set(root, "/segments/0/encryption", `aes-${kept}`) },
        model: { keyBytes: 32 },
      }),
  ),
  value("luks2.payload.attached", "/segments/0/offset", { broken: "0", kept: String(DATA) }),
  value("luks2.payload.inside-file", "/segments/0/offset", {
    broken: String(DATA + 8192),
    kept: String(DATA + 7680),
  }),
  value("luks2.payload.inside-file", "/segments/0/size", { broken: "8704", kept: "8192" }),
  pair("luks2.payload.whole-sectors", "a dynamic segment ends inside a sector", {
    broken: { size: DATA + 8192 - 512 },
    kept: { size: DATA + 4096 },
    model: { sectorSize: 4096 },
  }),
  value("luks2.content.segments", "/segments/0/type", { broken: "linear", kept: "crypt" }),
  value("luks2.content.segments", "/segments", {
    broken: {
      "0": cryptSegment(DATA, 4096),
      "1": { type: "linear", offset: String(DATA + 4096), size: "dynamic" },
    },
    kept: { "0": cryptSegment(DATA, "dynamic") },
  }),
  value("luks2.content.segments", "/segments/0/integrity", {
    broken: { type: "aead", journal_encryption: "none", journal_integrity: "none" },
    kept: undefined,
  }),
  value("luks2.content.cipher", "/segments/0/encryption", {
    broken: "aes-lrw-benbi",
    kept: "aes-xts-benbi",
  }),
  value("luks2.content.cipher", "/segments/0/encryption", {
    broken: "cast5-cbc-plain64",
    kept: "aes-xts-plain",
  }),
];

/** Pairs about key slots and keys. */
export const slotAndKeyCases: readonly RuleCase[] = [...slotCases, ...keyCases, ...workCases];
