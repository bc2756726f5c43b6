/** For every rule, volumes that break it beside volumes that just keep it. */

import { buildLuks1, type Luks1Model, type Luks1Rule } from "../../src/luks1/mod.ts";
import type { Volume } from "./ours.ts";
import { edited, modelOf, sourceOf, type Value, volumeOf } from "./volumes.ts";

/** A volume that breaks a rule, and one that does not. */
export interface RuleCase {
  readonly rule: Luks1Rule;
  /** What is broken. */
  readonly about: string;
  readonly broken: Volume;
  readonly kept: Volume;
}

const base = modelOf();
const passphrase = "first";
/** Sectors of the key material of 16 bytes, and of what is reserved for it. */
const MATERIAL = 125;
const RESERVED = 128;
const LAST_SLOT = 8 + 7 * RESERVED;
const PAYLOAD = 8 + 8 * RESERVED;

/** A pair that differs in one field. */
function field(
  rule: Luks1Rule,
  path: string,
  values: { broken: Value; kept: Value },
  model: Luks1Model = base,
): RuleCase {
  const { image } = buildLuks1(model);
  const shown = (value: Value) => JSON.stringify(value).slice(0, 40);
  return {
    rule,
    about: `${path} is ${shown(values.broken)}, not ${shown(values.kept)}`,
    broken: { source: edited(image, { [path]: values.broken }), passphrase },
    kept: { source: edited(image, { [path]: values.kept }), passphrase },
  };
}

const headerCases: RuleCase[] = [
  {
    rule: "luks.open.key-present",
    about: "there is no passphrase",
    broken: { source: volumeOf().source },
    kept: volumeOf(),
  },
  {
    rule: "luks.header.readable",
    about: "the file ends after 591 bytes, not 592",
    broken: { source: edited(buildLuks1(base).image, {}, 591), passphrase },
    kept: { source: edited(buildLuks1(base).image, {}, 592), passphrase },
  },
  field("luks.header.magic", "/header/magic", {
    broken: "LUKS\xba\xbf",
    kept: "LUKS\xba\xbe",
  }),
  field("luks.header.version", "/header/version", { broken: 2, kept: 1 }),
  field("luks.header.version", "/header/version", { broken: 0, kept: 1 }),
  field("luks.header.cipher-nul", "/header/cipher_name", {
    broken: "a".repeat(32),
    kept: "a".repeat(31),
  }),
  field("luks.header.mode-nul", "/header/cipher_mode", {
    broken: "cbc-plain64".padEnd(32, "x"),
    kept: "cbc-plain64\0".padEnd(32, "x"),
  }),
  field("luks.header.hash-nul", "/header/hash_spec", {
    broken: "sha256".padEnd(32, "x"),
    kept: "sha256\0".padEnd(32, "x"),
  }),
  field("luks.header.payload-after-header", "/header/payload_offset", { broken: 7, kept: 8 }),
  field("luks.detached.standalone", "/header/payload_offset", { broken: 0, kept: 1 }),
  field("luks.header.mk-iterations", "/header/mk_digest_iter", { broken: 0, kept: 1 }),
  field("luks.header.uuid", "/header/uuid", {
    broken: "2d3f9c5e-54a3-4a0c-9d9b-0d8a7f3a9f1",
    kept: "2D3F9C5E-54a3-4a0c-9d9b-0d8a7f3a9f10",
  }),
  field("luks.header.uuid", "/header/uuid", {
    broken: "2d3f9c5e-54a3-4a0c-9d9b-0d8a7f3a9f10xxxx",
    kept: "2d3f9c5e-54a3-4a0c-9d9b-0d8a7f3a9f10\0xxx",
  }),
];

const slotCases: RuleCase[] = [
  field("luks.slot.stripes", "/key_slots/7/stripes", { broken: 3999, kept: 4000 }),
  field("luks.slot.stripes", "/key_slots/0/stripes", { broken: 4001, kept: 4000 }),
  field("luks.slot.state", "/key_slots/3/active", { broken: 0xdeae, kept: 0xdead }),
  field("luks.slot.state", "/key_slots/0/active", { broken: 0xcafe, kept: 0xac71f3 }),
  field("luks.slot.iterations", "/key_slots/2/iterations", { broken: 0, kept: 1 }),
  field("luks.slot.after-header", "/key_slots/7/key_material_offset", { broken: 1, kept: 2 }),
  field("luks.slot.alignment", "/key_slots/7/key_material_offset", { broken: 7, kept: 8 }),
  field("luks.slot.before-payload", "/header/payload_offset", {
    broken: LAST_SLOT + MATERIAL - 1,
    kept: LAST_SLOT + MATERIAL,
  }),
  field("luks.slot.alignment", "/header/payload_offset", {
    broken: PAYLOAD - 1,
    kept: PAYLOAD,
  }),
  field("luks.slot.no-overlap", "/key_slots/6/key_material_offset", {
    broken: LAST_SLOT - MATERIAL + 1,
    kept: LAST_SLOT - MATERIAL,
  }),
  field("luks.slot.alignment", "/key_slots/6/key_material_offset", {
    broken: LAST_SLOT - RESERVED + 1,
    kept: LAST_SLOT - RESERVED,
  }),
  field("luks.slot.no-overlap", "/key_slots/5/key_material_offset", {
    broken: 8,
    kept: 8 + 5 * RESERVED,
  }),
  field("luks.slot.end-range", "/key_slots/7/key_material_offset", {
    broken: 2 ** 32 - RESERVED,
    kept: 2 ** 32 - RESERVED - 1,
  }),
  field("luks.slot.material-inside-file", "/key_slots/2/key_material_offset", {
    broken: 2 ** 32 - RESERVED,
    kept: 8 + 2 * RESERVED,
  }),
];

const wide = modelOf({ spec: { ...base.spec, keyBytes: 32 } });
const xts = modelOf({ spec: { ...base.spec, mode: "xts", keyBytes: 64 } });

/** A cipher that QEMU knows in a mode that nettle does not have, and one that it has. */
const backendCase: RuleCase = {
  rule: "luks.key.cipher-supported",
  about: "the cipher is cast5 in mode xts, not serpent",
  broken: {
    source: edited(buildLuks1(wide).image, {
      "/header/cipher_name": "cast5",
      "/header/cipher_mode": "xts-plain64",
    }),
    passphrase,
  },
  kept: {
    source: edited(buildLuks1(wide).image, {
      "/header/cipher_name": "serpent",
      "/header/cipher_mode": "xts-plain64",
    }),
    passphrase,
  },
};

const cipherCases: RuleCase[] = [
  field("luks.cipher.mode-dash", "/header/cipher_mode", { broken: "ecb", kept: "ecb-plain64" }),
  field("luks.cipher.ivhash-known", "/header/cipher_mode", {
    broken: "cbc-plain64:sha3",
    kept: "cbc-plain64:sha1",
  }),
  field("luks.cipher.ivhash-known", "/header/cipher_mode", {
    broken: "cbc-plain64:",
    kept: "cbc-plain64",
  }),
  field("luks.cipher.mode-known", "/header/cipher_mode", {
    broken: "lrw-plain64",
    kept: "ctr-plain64",
  }),
  field("luks.cipher.mode-known", "/header/cipher_mode", {
    broken: "CBC-plain64",
    kept: "cbc-plain64",
  }),
  field("luks.cipher.mode-known", "/header/cipher_mode", {
    broken: "cfb-plain64",
    kept: "cbc-plain64",
  }),
  field("luks.cipher.mode-known", "/header/cipher_mode", {
    broken: "ofb-plain64",
    kept: "ecb-plain64",
  }),
  field("luks.cipher.name-and-size", "/header/cipher_name", {
    broken: "cast6",
    kept: "serpent",
  }),
  field("luks.cipher.name-and-size", "/header/key_bytes", { broken: 15, kept: 16 }),
  field("luks.cipher.name-and-size", "/header/key_bytes", { broken: 0, kept: 16 }),
  field("luks.hash.known", "/header/hash_spec", { broken: "whirlpool", kept: "sha512" }),
  field("luks.hash.known", "/header/hash_spec", { broken: "sha-256", kept: "sha256" }),
  field("luks.hash.known", "/header/hash_spec", { broken: "SHA256", kept: "sha256" }),
  field("luks.hash.known", "/header/hash_spec", { broken: "md5-sha1", kept: "md5" }),
  field("luks.cipher.ivgen-known", "/header/cipher_mode", {
    broken: "cbc-plain64be",
    kept: "cbc-plain64",
  }),
  field("luks.cipher.dm-crypt", "/header/cipher_mode", {
    broken: "ctr-benbi",
    kept: "cbc-plain64",
  }),
  field("luks.cipher.dm-crypt", "/header/cipher_mode", {
    broken: "cfb8-plain64",
    kept: "ctr-plain64",
  }),
  field("luks.cipher.essiv-hash-present", "/header/cipher_mode", {
    broken: "cbc-essiv",
    kept: "cbc-essiv:sha256",
  }),
  field("luks.cipher.essiv-key-size", "/header/cipher_mode", {
    broken: "cbc-essiv:sha1",
    kept: "cbc-essiv:md5",
  }),
  backendCase,
  field("luks.key.xts-even", "/header/key_bytes", { broken: 65, kept: 64 }, xts),
  field("luks.key.xts-even", "/header/key_bytes", { broken: 33, kept: 32 }, xts),
  field("luks.key.material-sector-multiple", "/header/key_bytes", { broken: 24, kept: 32 }, wide),
  {
    rule: "luks.key.unlock",
    about: "the passphrase is another one",
    broken: { ...volumeOf(), passphrase: "First" },
    kept: volumeOf(),
  },
  {
    rule: "luks.slot.any-enabled",
    about: "no slot is enabled",
    broken: {
      source: edited(buildLuks1(base).image, {
        "/key_slots/0/active": 0xdead,
        "/key_slots/2/active": 0xdead,
      }),
      passphrase,
    },
    kept: { ...volumeOf(), passphrase: "second" },
  },
  {
    rule: "luks.work.iterations-budget",
    about: "the budget is one iteration less than two slots and two digests take",
    broken: { ...volumeOf(), iterationsMax: 12 },
    kept: { ...volumeOf(), iterationsMax: 13 },
  },
];

const payloadCases: RuleCase[] = [
  field("luks.payload.inside-file", "/header/payload_offset", {
    broken: PAYLOAD + 8 + 1,
    kept: PAYLOAD + 8,
  }),
  {
    rule: "luks.size.512",
    about: "the file ends a byte behind a sector",
    broken: volumeOf({ tail: 1 }),
    kept: volumeOf(),
  },
  {
    rule: "luks.payload.alignment",
    about: "the payload starts a sector behind a multiple of 4096",
    broken: volumeOf({ gap: 1 }),
    kept: volumeOf({ gap: 8 }),
  },
];

/** Pairs that qemu-img of every version looks at. */
export const ruleCases: readonly RuleCase[] = [
  ...headerCases,
  ...slotCases,
  ...cipherCases,
  ...payloadCases,
];

/** Pairs with a detached header. */
export const detachedCases: readonly RuleCase[] = (() => {
  const model = modelOf({ detached: true });
  const { image, payload } = buildLuks1(model);
  if (payload === undefined) throw new Error("The payload is missing");
  const with_ = (fields: Record<string, Value>, size?: number): Volume => ({
    source: edited(image, fields, size),
    payload: sourceOf(payload),
    passphrase,
  });
  const end = (8 + 2 * RESERVED) * 512 + 16 * 4000;
  return [
    {
      rule: "luks.payload.inside-file",
      about: "the payload of a detached header starts behind the end of its file",
      broken: with_({ "/header/payload_offset": 9 }),
      kept: with_({ "/header/payload_offset": 8 }),
    },
    {
      rule: "luks.slot.material-inside-file",
      about: "a detached header ends a byte before the key material of an enabled slot does",
      broken: with_({}, end - 1),
      kept: with_({}, end),
    },
    {
      rule: "luks.slot.no-overlap",
      about: "key materials of a detached header overlap",
      broken: with_({ "/key_slots/7/key_material_offset": 8 }),
      kept: with_({ "/key_slots/7/key_material_offset": 5000 }),
    },
  ];
})();
