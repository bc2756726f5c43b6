/** Cases of the binary headers of LUKS version 2, the copies and the text of the JSON. */

import type { RuleId } from "../../../src/rules/mod.ts";
import { type Case, casesOf, type Parts } from "../case.ts";
import {
  bits,
  fill,
  header,
  json,
  jsonEnd,
  jsonText,
  overwrite,
  replace,
  resize,
  type Where,
} from "../edit.ts";
import { base, DATA, HEADER_SIZE, KEYSLOTS, modelOf, UUID } from "./models.ts";

const { pair, field } = casesOf(base);

const PRIMARY = { copy: "primary" } as const;
const SECONDARY = { copy: "secondary" } as const;
const UNSEALED = { unsealed: true } as const;
/** Offsets in a copy: the last bytes of the magic, of a checksum of 32 bytes, and of the JSON area. */
const MAGIC_LAST = 5;
const CHECKSUM_LAST = 448 + 31;
const LAST = HEADER_SIZE - 1;
const JSON_BYTES = HEADER_SIZE - 4096;
/** A wrong checksum. */
const DAMAGED = header("csum", "", { ...PRIMARY, ...UNSEALED });

/** A partition table with one partition. */
function mbr(bootFlag: number): Uint8Array {
  const sector = new Uint8Array(512);
  sector.set([bootFlag, 0, 2, 0, 0x83], 446);
  sector.set([0x55, 0xaa], 510);
  return sector;
}

type Text = bigint | number | string;

/** Two values of a field of the binary header, in both copies or in one. */
function values(
  rule: RuleId,
  name: string,
  { bad, good, shows, ...where }: Where & { bad: Text; good: Text; shows?: string },
): Case {
  return pair(rule, {
    shows: shows ?? `${name} is ${JSON.stringify(bad)}, not ${JSON.stringify(good)}`,
    breaks: [header(name, bad, where)],
    keeps: [header(name, good, where)],
  });
}

/** A value of a field that breaks a rule in both copies, but not in one copy. */
function inBoth(
  rule: RuleId,
  name: string,
  { value, kept, shows }: { value: Text; kept: "primary" | "secondary"; shows: string },
): Case {
  return pair(rule, {
    shows,
    breaks: [header(name, value)],
    keeps: [header(name, value, { copy: kept })],
  });
}

const binaryCases: readonly Case[] = [
  pair("luks2.open.key-present", {
    shows: "there is no passphrase",
    passphrases: [],
    kept: { passphrases: ["first"] },
  }),
  pair("luks2.header.readable", {
    shows: "the file ends inside the first binary header",
    breaks: [resize(4095)],
  }),
  pair("luks2.header.readable", {
    shows: "the file ends one byte before the end of the primary copy",
    breaks: [resize(HEADER_SIZE - 1)],
    keeps: [resize(DATA)],
  }),
  pair("luks2.header.magic", {
    shows: "both copies have the magic LUKS\\xba\\xbf, of which the last byte is wrong",
    breaks: [
      { op: "text", path: "/*/magic", text: "LUKS", fill: 0xba, sealed: true },
      bits(MAGIC_LAST, 0xba ^ 0xbf),
    ],
  }),
  values("luks2.header.version", "version", { bad: 0, good: 2 }),
  values("luks2.header.primary-version", "version", {
    shows: "the primary copy has version 3, not 0",
    bad: 3,
    good: 0,
    ...PRIMARY,
  }),
  inBoth("luks2.header.primary-version", "version", {
    shows: "both copies have version 1, not only the secondary one",
    value: 1,
    kept: "secondary",
  }),
  inBoth("luks2.header.offset", "hdr_offset", {
    shows: "both copies have the offset 1, not only the primary one",
    value: 1,
    kept: "primary",
  }),
  inBoth("luks2.header.size", "hdr_size", {
    shows: "both copies have a size of 0x3fff, not only the secondary one",
    value: 0x3fff,
    kept: "secondary",
  }),
  inBoth("luks2.header.size", "hdr_size", {
    shows: "both copies have a size of 0x5000, not only the secondary one",
    value: 0x5000,
    kept: "secondary",
  }),
  pair("luks2.header.size-is-place", {
    shows: "the size in the secondary copy is too large, and the primary copy is damaged",
    breaks: [header("hdr_size", 0x8000, SECONDARY), DAMAGED],
    keeps: [header("hdr_size", 0x8000, SECONDARY)],
  }),
  values("luks2.header.checksum-hash", "csum_alg", { bad: "sha257", good: "sha512" }),
  pair("luks2.header.checksum", {
    shows: "the last byte of both checksums is wrong, not only of the primary one",
    breaks: [bits(CHECKSUM_LAST, 1, UNSEALED)],
    keeps: [bits(CHECKSUM_LAST, 1, { ...UNSEALED, ...PRIMARY })],
  }),
  pair("luks2.header.checksum", {
    shows:
      "the last byte of both JSON areas does not match the checksum, not only of the secondary",
    breaks: [bits(LAST, 1, UNSEALED)],
    keeps: [bits(LAST, 1, { ...UNSEALED, ...SECONDARY })],
  }),
  ...["label", "subsystem"].map((name) =>
    values("luks2.header.text-nul", name, {
      shows: `the ${name} fills its field`,
      bad: "x".repeat(48),
      good: "x".repeat(47),
    })
  ),
  values("luks2.header.padding", "_padding", {
    shows: "a byte of the padding is not zero",
    bad: "\0\x01",
    good: "\0\0",
  }),
  pair("luks2.header.padding", {
    shows: "a byte after the checksum of 32 bytes is not zero; SHA-512 has 64",
    breaks: [bits(CHECKSUM_LAST + 1, 1, UNSEALED)],
    keeps: [header("csum_alg", "sha512")],
  }),
  values("luks2.header.uuid", "uuid", {
    shows: "the UUID lacks a digit",
    bad: UUID.slice(0, 35),
    good: UUID.toUpperCase(),
  }),
];

const copyCases: readonly Case[] = [
  pair("luks2.copy.primary", { shows: "the primary copy is damaged", breaks: [DAMAGED] }),
  pair("luks2.copy.primary", {
    shows: "the JSON of the primary copy lacks its last brace; the checksum matches",
    breaks: [jsonEnd("", PRIMARY)],
    keeps: [jsonEnd("} ")],
  }),
  pair("luks2.copy.primary", {
    shows: "the primary copy, of 4 MiB, has no magic",
    base: modelOf({ headerSize: 0x400000 }),
    breaks: [header("magic", "", PRIMARY)],
  }),
  pair("luks2.copy.secondary", {
    shows: "the secondary copy has no magic",
    breaks: [header("magic", "", SECONDARY)],
  }),
  pair("luks2.copy.sequence", {
    shows: "the secondary copy is one update older",
    breaks: [header("seqid", 4, SECONDARY)],
    keeps: [header("seqid", 4)],
  }),
  pair("luks2.copy.sequence", {
    shows: "the primary copy is one update older",
    breaks: [header("seqid", 6, SECONDARY)],
    keeps: [header("seqid", 2n ** 64n - 1n)],
  }),
  pair("luks2.copy.signature", {
    shows: "an MBR partition table replaces the first sector; the other one has a wrong boot flag",
    breaks: [overwrite(0, mbr(0x80))],
    keeps: [overwrite(0, mbr(0x81))],
  }),
  pair("luks2.copy.signature", {
    shows: "an ext4 superblock replaces that sector; the other one has no feature of ext4",
    breaks: [
      overwrite(0, new Uint8Array(1024)),
      overwrite(1080, [0x53, 0xef]),
      overwrite(1120, [0x40]),
    ],
    keeps: [
      overwrite(0, new Uint8Array(1024)),
      overwrite(1080, [0x53, 0xef]),
      overwrite(1120, [0x04]),
    ],
  }),
  pair("luks2.copy.signature", {
    shows: "the label looks like one of Oracle ASM, and the secondary copy is one update older",
    breaks: [header("label", "01234567ORCLDISK"), header("seqid", 4, SECONDARY)],
    keeps: [header("label", "01234567ORCLDISK")],
  }),
  pair("luks2.copy.same", {
    shows: "the copies have different labels",
    breaks: [header("label", "x", SECONDARY)],
    keeps: [header("label", "x")],
  }),
  pair("luks2.copy.same", {
    shows: "the JSON of the secondary copy has a flag that the primary one does not have",
    breaks: [json("/config/flags", ["no-journal"], SECONDARY)],
    keeps: [json("/config/flags", ["no-journal"])],
  }),
  inBoth("luks2.copy.salt", "salt", {
    shows: "both copies have the same salt",
    value: "pepper",
    kept: "secondary",
  }),
  pair("luks2.file.areas", {
    shows: "the file ends one byte before the end of the area for key slots",
    breaks: [resize(2 * HEADER_SIZE + KEYSLOTS - 1)],
    keeps: [resize(2 * HEADER_SIZE + KEYSLOTS)],
  }),
];

/** Two texts of a value in a field that is ignored. */
function texts(rule: RuleId, bad: string, good: string, parts: Parts = {}): Case {
  const inConfig = (value: string) => replace('"config":{', `"config":{"x":${value},`);
  return pair(rule, { ...parts, breaks: [inConfig(bad)], keeps: [inConfig(good)] });
}

/** Nested arrays. */
function nested(levels: number, innermost = ""): string {
  return "[".repeat(levels) + innermost + "]".repeat(levels);
}

const textCases: readonly Case[] = [
  pair("luks2.json.start", {
    shows: "there is a blank before the JSON, not after it",
    breaks: [replace("{", " {")],
    keeps: [jsonEnd("} ")],
  }),
  pair("luks2.json.syntax", { shows: "the last brace is missing", breaks: [jsonEnd("")] }),
  pair("luks2.json.syntax", {
    shows: "the JSON is a brace",
    breaks: [jsonText("{")],
    keeps: [jsonEnd("}\n")],
  }),
  texts("luks2.json.syntax", "--1", "-1", { shows: "a number has two signs" }),
  texts("luks2.json.syntax", '"\\x41"', '"\\u0041"', { shows: "an escape is not one of JSON" }),
  texts("luks2.json.depth", nested(31, "1"), nested(30), { shows: "the nesting depth is 33" }),
  ...["/* x */1", "// x\n1", "'x'", "[1,]", "01", "1.", "NULL", "NaN", "-Infinity", '"\x01"']
    .map((bad) =>
      texts("luks2.json.strict", bad, "1", { shows: `a value is ${JSON.stringify(bad)}, not 1` })
    ),
  texts("luks2.json.strict", '1,"x":1', '1,"y":1', { shows: "an object has a name twice" }),
  texts("luks2.json.strict", '"\xc3"', '"\xc3\xa4"', { shows: "a string is not UTF-8" }),
  pair("luks2.json.terminated", {
    shows: "blanks fill the area to its last byte, not to the one before",
    breaks: [fill(JSON_BYTES)],
    keeps: [fill(JSON_BYTES - 1)],
  }),
  pair("luks2.json.terminated", {
    shows: "a letter follows the JSON, not a line break",
    breaks: [jsonEnd("}x")],
    keeps: [jsonEnd("}\n")],
  }),
  pair("luks2.json.terminated", {
    shows: "the last byte of the area is not zero",
    breaks: [bits(LAST, 0x20)],
  }),
  texts("luks2.json.fits", `"${"\x01".repeat(2100)}"`, `"${"x".repeat(2100)}"`, {
    shows: "json-c writes more bytes than the area has",
  }),
  ...["config", "keyslots", "digests", "segments", "tokens"].map((name) =>
    pair("luks2.json.sections", { breaks: [json(`/${name}`)] })
  ),
  field("luks2.json.sections", "/json/tokens", { bad: [], good: {} }),
  pair("luks2.json.sections", { shows: "the outermost object is empty", breaks: [jsonText("{}")] }),
  ...[["tokens", "1x", "11"], ["digests", "-1", "1"]].map(([section, bad, good]) => {
    const named = (name?: string) => replace(`"${section}":{"0"`, `"${section}":{"${name}"`);
    return pair("luks2.json.names", {
      shows: `the name of one of the ${section} is ${bad}, not ${good}`,
      breaks: [named(bad)],
      keeps: [named(good)],
    });
  }),
];

/** An array of so many numbers. */
function numbers(count: number): string {
  return `[${"1,".repeat(count - 1)}1]`;
}

/** Cases of the binary header, the copies and the text of the JSON. */
export const headerCases: readonly Case[] = [
  ...binaryCases,
  ...copyCases,
  ...textCases,
  texts("luks2.work.values", numbers(100_000), numbers(99_000), {
    shows: "the JSON has more than 100000 values",
    base: modelOf({ headerSize: 0x80000 }),
  }),
];
