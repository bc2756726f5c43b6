/** For every rule of the JSON that an open without a passphrase looks at, pairs of volumes. */

import { pair, type RuleCase, value } from "./rule_case.ts";
import { reencrypt, reencrypted } from "./reencrypting.ts";
import type { AnyJson } from "./volumes.ts";

const AREA = 258048;
const FIRST = 2 * 0x4000;
const KEYSLOTS = 2 * AREA + 8192;
const DATA = FIRST + KEYSLOTS;
const UINT64 = 2n ** 64n;

const configCases: RuleCase[] = [
  value("luks2.config.json-size", "/config/json_size", { broken: "12287", kept: "12288" }),
  value("luks2.config.json-size", "/config/json_size", { broken: 12288, kept: "12288" }),
  value("luks2.config.keyslots-size", "/config/keyslots_size", {
    broken: String(KEYSLOTS - 1),
    kept: String(KEYSLOTS - 4096),
  }),
  value("luks2.config.keyslots-size", "/config/keyslots_size", {
    broken: "0x80000",
    kept: String(KEYSLOTS),
  }),
  pair("luks2.config.keyslots-size-max", "keyslots_size is a page more than 128 MiB", {
    broken: { json: (root) => sized(root, 0x8001000) },
    kept: { json: (root) => sized(root, 0x80000) },
  }),
  value("luks2.config.decimal", "/config/json_size", { broken: " +12288", kept: "012288" }),
  value("luks2.config.before-data", "/segments/0/offset", {
    broken: String(DATA - 512),
    kept: String(DATA),
  }),
  value("luks2.config.before-data", "/segments/0/offset", { broken: "512", kept: "0" }),
  value("luks2.config.flags", "/config/flags", { broken: [1], kept: ["allow-discards", "x"] }),
  value("luks2.config.flags", "/config/flags", { broken: "x", kept: [] }),
  value("luks2.config.requirements", "/config/requirements", { broken: ["x"], kept: { x: 1 } }),
  value("luks2.config.requirements", "/config/requirements", {
    broken: { mandatory: [null] },
    kept: { mandatory: [] },
  }),
  value("luks2.config.one-reencryption", "/config/requirements", {
    broken: { mandatory: ["online-reencrypt-v7", "online-reencrypt-v8"] },
    kept: { mandatory: ["online-reencrypt-v7", "online-reencrypt-v"] },
  }),
];

/** A header without a segment in its file, so that the area for key slots may be of any size. */
function sized(root: AnyJson, bytes: number): void {
  root.segments["0"].offset = "0";
  root.config.keyslots_size = String(bytes);
}

const referenceCases: RuleCase[] = [
  value("luks2.token.fields", "/tokens/0/type", { broken: "", kept: "x" }),
  value("luks2.token.fields", "/tokens/0/keyslots", { broken: { "0": 1 }, kept: [] }),
  value("luks2.token.keyslots", "/tokens/0/keyslots", { broken: ["0", "1"], kept: ["0", "3"] }),
  value("luks2.token.keyslots", "/tokens/0/keyslots", { broken: [0], kept: ["0"] }),
  value("luks2.digest.fields", "/digests/0/type", { broken: 1, kept: "pbkdf2" }),
  value("luks2.digest.fields", "/digests/0/segments", { broken: null, kept: ["0"] }),
  value("luks2.digest.references", "/digests/0/segments", { broken: ["0", "1"], kept: ["0"] }),
  value("luks2.digest.references", "/digests/1", {
    broken: { type: "x", keyslots: ["2"], segments: [] },
    kept: { type: "x", keyslots: [], segments: [] },
  }),
];

const linear = { type: "linear", size: "4096", offset: String(DATA + 4096) };

const segmentCases: RuleCase[] = [
  value("luks2.segment.any", "/segments", { broken: {}, kept: segmentsWith({}) }),
  value("luks2.segment.any", "/segments/0/flags", { broken: ["backup-x"], kept: ["backup"] }),
  value("luks2.segment.fields", "/segments/0/type", { broken: undefined, kept: "crypt" }),
  value("luks2.segment.fields", "/segments/0/size", { broken: 4096, kept: "4096" }),
  value("luks2.segment.offset", "/segments/0/offset", {
    broken: String(UINT64),
    kept: String(UINT64 - 512n),
  }),
  value("luks2.segment.offset", "/segments/0/offset", { broken: `+${DATA}`, kept: `00${DATA}` }),
  value("luks2.segment.size", "/segments/0/size", { broken: "0", kept: "512" }),
  value("luks2.segment.size", "/segments/0/size", { broken: "Dynamic", kept: "dynamic" }),
  value("luks2.segment.alignment", "/segments/0/offset", {
    broken: String(DATA + 511),
    kept: String(DATA + 512),
  }),
  value("luks2.segment.alignment", "/segments/0/size", { broken: "1023", kept: "1024" }),
  value("luks2.segment.flags", "/segments/0/flags", { broken: [["x"]], kept: ["x"] }),
  value("luks2.segment.order", "/segments", {
    broken: segmentsWith({ size: "4096" }, { "2": linear }),
    kept: segmentsWith({ size: "4096" }, { "1": linear }),
  }),
  value("luks2.segment.order", "/segments", {
    broken: segmentsWith({ size: "4096" }, {
      "1": { ...linear, flags: ["backup-final"] },
      "2": linear,
    }),
    kept: segmentsWith({ size: "4096" }, {
      "1": linear,
      "2": { ...linear, flags: ["backup-final"] },
    }),
  }),
  value("luks2.segment.overlap", "/segments", {
    broken: segmentsWith({ size: "4608" }, { "1": linear }),
    kept: segmentsWith({ size: "4096" }, { "1": linear }),
  }),
  value("luks2.segment.overlap", "/segments", {
    broken: segmentsWith({ size: "dynamic" }, { "1": linear }),
    kept: segmentsWith({ size: "4096" }, { "1": { ...linear, size: "dynamic" } }),
  }),
  value("luks2.segment.overlap", "/segments", {
    broken: segmentsWith({ size: "4096" }, { "1": { ...linear, size: String(UINT64 - 4096n) } }),
    kept: segmentsWith({ size: "4096" }, { "1": { ...linear, size: String(2n ** 63n) } }),
  }),
  value("luks2.segment.gap", "/segments", {
    broken: segmentsWith({ size: "3584" }, { "1": linear }),
    kept: segmentsWith({ size: "4096" }, { "1": linear }),
  }),
  value("luks2.crypt.fields", "/segments/0/iv_tweak", { broken: 0, kept: "0" }),
  value("luks2.crypt.fields", "/segments/0/encryption", { broken: "", kept: "x" }),
  value("luks2.crypt.integrity-fields", "/segments/0/integrity", {
    broken: { type: "aead", journal_encryption: "none" },
    kept: { type: "aead", journal_encryption: "none", journal_integrity: "none" },
  }),
  value("luks2.crypt.sector-size", "/segments/0/sector_size", { broken: 0, kept: 512 }),
  value("luks2.crypt.sector-size", "/segments/0/sector_size", { broken: 511, kept: 512 }),
  value("luks2.crypt.sector-size", "/segments/0/sector_size", { broken: 2 ** 32, kept: 2048 }),
  value("luks2.crypt.iv-tweak", "/segments/0/iv_tweak", {
    broken: String(UINT64),
    kept: String(UINT64 - 1n),
  }),
  value("luks2.crypt.size-in-sectors", "/segments/0", {
    broken: { ...crypt(), size: "4608", sector_size: 1024 },
    kept: { ...crypt(), size: "5120", sector_size: 1024 },
  }),
  value("luks2.crypt.digest", "/digests/0/segments", { broken: [], kept: ["0"] }),
];

function crypt(): Record<string, unknown> {
  return {
    type: "crypt",
    offset: String(DATA),
    size: "dynamic",
    iv_tweak: "0",
    encryption: "aes-xts-plain64",
    sector_size: 512,
  };
}

function segmentsWith(
  first: Record<string, unknown>,
  others: Record<string, unknown> = {},
): Record<string, unknown> {
  return { "0": { ...crypt(), ...first }, ...others };
}

/** A pair of volumes in an online reencryption. */
function during(
  rule: "luks2.reencryption.keyslot" | "luks2.reencryption.slots" | "luks2.reencryption.segments",
  path: string,
  { broken, kept }: { broken: unknown; kept: unknown },
): RuleCase {
  return pair(rule, `${path} is ${JSON.stringify(broken) ?? "missing"} in a reencryption`, {
    broken: { json: (root) => reencrypted(root, [[path, broken]]) },
    kept: { json: (root) => reencrypted(root, [[path, kept]]) },
  });
}

const shift = (size: unknown) => ({ ...reencrypt.area, type: "datashift", shift_size: size });
const checksum = (size: unknown) => ({
  ...reencrypt.area,
  type: "checksum",
  hash: "sha256",
  sector_size: size,
});

const reencryptionCases: RuleCase[] = [
  during("luks2.reencryption.keyslot", "/keyslots/1/mode", { broken: "x", kept: "decrypt" }),
  during("luks2.reencryption.keyslot", "/keyslots/1/direction", { broken: "", kept: "backward" }),
  during("luks2.reencryption.keyslot", "/keyslots/1/key_size", { broken: 2, kept: 1 }),
  during("luks2.reencryption.keyslot", "/keyslots/1/area", {
    broken: shift("511"),
    kept: shift("512"),
  }),
  during("luks2.reencryption.keyslot", "/keyslots/1/area", {
    broken: checksum(768),
    kept: checksum(512),
  }),
  during("luks2.reencryption.slots", "/keyslots/1", { broken: undefined, kept: reencrypt }),
  during("luks2.reencryption.slots", "/config/requirements/mandatory", {
    broken: [],
    kept: ["online-reencrypt-v2"],
  }),
  during("luks2.reencryption.slots", "/keyslots/2", {
    broken: { ...reencrypt, area: { ...reencrypt.area, offset: String(FIRST + 2 * AREA + 4096) } },
    kept: undefined,
  }),
  during("luks2.reencryption.segments", "/segments/2/flags", {
    broken: ["backup-x"],
    kept: ["backup-final"],
  }),
  during("luks2.reencryption.segments", "/segments/0/sector_size", { broken: 4096, kept: 512 }),
];

/** Pairs about config, references, segments and reencryption. */
export const jsonCases: readonly RuleCase[] = [
  ...configCases,
  ...referenceCases,
  ...segmentCases,
  ...reencryptionCases,
];
