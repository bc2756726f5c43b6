/** Cases of the JSON of LUKS version 2 that an open without a passphrase reads. */

import type { Json } from "../../../src/format/mod.ts";
import type { RuleId } from "../../../src/rules/mod.ts";
import { type Case, casesOf, type Value } from "../case.ts";
import { type CaseEdit, json } from "../edit.ts";
import { AREA, base, DATA, FIRST, KEYSLOTS } from "./models.ts";
import { checksum, cryptSegment, reencrypt, reencrypting, shift } from "./reencrypting.ts";

const { pair, field } = casesOf(base);

const UINT64 = 2n ** 64n;

const configCases: readonly Case[] = [
  field("luks2.config.json-size", "/json/config/json_size", { bad: "12287", good: "12288" }),
  field("luks2.config.json-size", "/json/config/json_size", { bad: 12288, good: "12288" }),
  field("luks2.config.keyslots-size", "/json/config/keyslots_size", {
    bad: String(KEYSLOTS - 1),
    good: String(KEYSLOTS - 4096),
  }),
  field("luks2.config.keyslots-size", "/json/config/keyslots_size", {
    bad: "0x80000",
    good: String(KEYSLOTS),
  }),
  pair("luks2.config.keyslots-size-max", {
    shows: "keyslots_size is one page more than 128 MiB",
    breaks: sized(0x8001000),
    keeps: sized(0x80000),
  }),
  field("luks2.config.decimal", "/json/config/json_size", { bad: " +12288", good: "012288" }),
  field("luks2.config.decimal", "/json/config/keyslots_size", {
    bad: ` +${KEYSLOTS}`,
    good: `0${KEYSLOTS}`,
  }),
  pair("luks2.config.keyslots-size-max", {
    shows: "keyslots_size is one page more than 128 MiB, not 128 MiB",
    breaks: sized(0x8001000),
    keeps: sized(0x8000000),
  }),
  field("luks2.config.before-data", "/json/segments/0/offset", {
    bad: String(DATA - 512),
    good: String(DATA),
  }),
  field("luks2.config.before-data", "/json/segments/0/offset", { bad: "512", good: "0" }),
  field("luks2.config.flags", "/json/config/flags", { bad: [1], good: ["allow-discards", "x"] }),
  field("luks2.config.flags", "/json/config/flags", { bad: "x", good: [] }),
  field("luks2.config.requirements", "/json/config/requirements", { bad: ["x"], good: { x: 1 } }),
  field("luks2.config.requirements", "/json/config/requirements", {
    bad: { mandatory: [null] },
    good: { mandatory: [] },
  }),
  field("luks2.config.one-reencryption", "/json/config/requirements", {
    shows: "two versions of a reencryption are required, not one",
    bad: { mandatory: ["online-reencrypt-v7", "online-reencrypt-v8"] },
    good: { mandatory: ["online-reencrypt-v7", "online-reencrypt-v"] },
  }),
];

/** A header without a segment in its file, so that the area for key slots can have any size. */
function sized(bytes: number): CaseEdit[] {
  return [json("/segments/0/offset", "0"), json("/config/keyslots_size", String(bytes))];
}

const referenceCases: readonly Case[] = [
  field("luks2.token.fields", "/json/tokens/0/type", { bad: "", good: "x" }),
  field("luks2.token.fields", "/json/tokens/0/keyslots", { bad: { "0": 1 }, good: [] }),
  field("luks2.token.keyslots", "/json/tokens/0/keyslots", { bad: ["0", "1"], good: ["0", "3"] }),
  field("luks2.token.keyslots", "/json/tokens/0/keyslots", { bad: [0], good: ["0"] }),
  field("luks2.digest.fields", "/json/digests/0/type", { bad: 1, good: "pbkdf2" }),
  field("luks2.digest.fields", "/json/digests/0/segments", { bad: null, good: ["0"] }),
  field("luks2.digest.references", "/json/digests/0/segments", { bad: ["0", "1"], good: ["0"] }),
  field("luks2.digest.references", "/json/digests/1", {
    bad: { type: "x", keyslots: ["2"], segments: [] },
    good: { type: "x", keyslots: [], segments: [] },
  }),
];

type JsonObject = { [name: string]: Json };

const crypt = cryptSegment(DATA, "dynamic");
const linear = { type: "linear", size: "4096", offset: String(DATA + 4096) };

const segmentCases: readonly Case[] = [
  field("luks2.segment.any", "/json/segments", {
    shows: "there is no segment",
    bad: {},
    good: segmentsWith({}),
  }),
  field("luks2.segment.any", "/json/segments/0/flags", { bad: ["backup-x"], good: ["backup"] }),
  field("luks2.segment.fields", "/json/segments/0/type", { bad: undefined, good: "crypt" }),
  field("luks2.segment.fields", "/json/segments/0/size", { bad: 4096, good: "4096" }),
  field("luks2.segment.offset", "/json/segments/0/offset", {
    bad: String(UINT64),
    good: String(UINT64 - 512n),
  }),
  field("luks2.segment.offset", "/json/segments/0/offset", { bad: `+${DATA}`, good: `00${DATA}` }),
  field("luks2.segment.size", "/json/segments/0/size", { bad: "0", good: "512" }),
  field("luks2.segment.size", "/json/segments/0/size", { bad: "Dynamic", good: "dynamic" }),
  field("luks2.segment.alignment", "/json/segments/0/offset", {
    bad: String(DATA + 511),
    good: String(DATA + 512),
  }),
  field("luks2.segment.alignment", "/json/segments/0/size", { bad: "1023", good: "1024" }),
  field("luks2.segment.flags", "/json/segments/0/flags", { bad: [["x"]], good: ["x"] }),
  field("luks2.segment.order", "/json/segments", {
    shows: "the second segment has the name 2, not 1",
    bad: segmentsWith({ size: "4096" }, { "2": linear }),
    good: segmentsWith({ size: "4096" }, { "1": linear }),
  }),
  field("luks2.segment.order", "/json/segments", {
    shows: "a backup segment is before a segment of the content, not after it",
    bad: segmentsWith({ size: "4096" }, {
      "1": { ...linear, flags: ["backup-final"] },
      "2": linear,
    }),
    good: segmentsWith({ size: "4096" }, {
      "1": linear,
      "2": { ...linear, flags: ["backup-final"] },
    }),
  }),
  field("luks2.segment.overlap", "/json/segments", {
    shows: "the first segment ends 512 bytes after the start of the second",
    bad: segmentsWith({ size: "4608" }, { "1": linear }),
    good: segmentsWith({ size: "4096" }, { "1": linear }),
  }),
  field("luks2.segment.overlap", "/json/segments", {
    shows: "the first of two segments is the dynamic one, not the second",
    bad: segmentsWith({ size: "dynamic" }, { "1": linear }),
    good: segmentsWith({ size: "4096" }, { "1": { ...linear, size: "dynamic" } }),
  }),
  field("luks2.segment.overlap", "/json/segments", {
    shows: "the second segment ends after 2^64",
    bad: segmentsWith({ size: "4096" }, { "1": { ...linear, size: String(UINT64 - 4096n) } }),
    good: segmentsWith({ size: "4096" }, { "1": { ...linear, size: String(2n ** 63n) } }),
  }),
  field("luks2.segment.gap", "/json/segments", {
    shows: "the first segment ends 512 bytes before the start of the second",
    bad: segmentsWith({ size: "3584" }, { "1": linear }),
    good: segmentsWith({ size: "4096" }, { "1": linear }),
  }),
  field("luks2.crypt.fields", "/json/segments/0/iv_tweak", { bad: 0, good: "0" }),
  field("luks2.crypt.fields", "/json/segments/0/encryption", { bad: "", good: "x" }),
  field("luks2.crypt.integrity-fields", "/json/segments/0/integrity", {
    shows: "journal_integrity is missing",
    bad: { type: "aead", journal_encryption: "none" },
    good: { type: "aead", journal_encryption: "none", journal_integrity: "none" },
  }),
  field("luks2.crypt.sector-size", "/json/segments/0/sector_size", { bad: 0, good: 512 }),
  field("luks2.crypt.sector-size", "/json/segments/0/sector_size", { bad: 511, good: 512 }),
  field("luks2.crypt.sector-size", "/json/segments/0/sector_size", { bad: 2 ** 32, good: 2048 }),
  field("luks2.crypt.iv-tweak", "/json/segments/0/iv_tweak", {
    bad: String(UINT64),
    good: String(UINT64 - 1n),
  }),
  field("luks2.crypt.size-in-sectors", "/json/segments/0", {
    shows: "a segment of 4608 bytes has sectors of 1024 bytes",
    bad: { ...crypt, size: "4608", sector_size: 1024 },
    good: { ...crypt, size: "5120", sector_size: 1024 },
  }),
  field("luks2.crypt.digest", "/json/digests/0/segments", { bad: [], good: ["0"] }),
];

function segmentsWith(first: JsonObject, others: JsonObject = {}): JsonObject {
  return { "0": { ...crypt, ...first }, ...others };
}

/** Two values of one place in the JSON of a volume in an online reencryption. */
function during(
  rule: RuleId,
  path: string,
  { bad, good, shows }: { bad: Value; good: Value; shows?: string },
): Case {
  const edits = (value: Value) => reencrypting([[path, value as Json | undefined]]);
  return pair(rule, {
    shows: shows ?? `${path} is ${JSON.stringify(bad) ?? "missing"} in a reencryption`,
    breaks: edits(bad),
    keeps: edits(good),
  });
}

const reencryptionCases: readonly Case[] = [
  during("luks2.reencryption.keyslot", "/keyslots/1/mode", { bad: "x", good: "decrypt" }),
  during("luks2.reencryption.keyslot", "/keyslots/1/direction", { bad: "", good: "backward" }),
  during("luks2.reencryption.keyslot", "/keyslots/1/key_size", { bad: 2, good: 1 }),
  during("luks2.reencryption.keyslot", "/keyslots/1/area", { bad: shift(511), good: shift(512) }),
  during("luks2.reencryption.keyslot", "/keyslots/1/area", {
    bad: checksum("sha256", 768),
    good: checksum("sha256", 512),
  }),
  during("luks2.reencryption.slots", "/keyslots/1", { bad: undefined, good: reencrypt }),
  during("luks2.reencryption.slots", "/config/requirements/mandatory", {
    bad: [],
    good: ["online-reencrypt-v2"],
  }),
  during("luks2.reencryption.slots", "/keyslots/2", {
    shows: "a reencryption has two key slots",
    bad: { ...reencrypt, area: { ...reencrypt.area, offset: String(FIRST + 2 * AREA + 4096) } },
    good: undefined,
  }),
  during("luks2.reencryption.segments", "/segments/2/flags", {
    bad: ["backup-x"],
    good: ["backup-final"],
  }),
  during("luks2.reencryption.segments", "/segments/0/sector_size", { bad: 4096, good: 512 }),
];

/** Cases of config, references, segments and a reencryption. */
export const jsonCases: readonly Case[] = [
  ...configCases,
  ...referenceCases,
  ...segmentCases,
  ...reencryptionCases,
];
