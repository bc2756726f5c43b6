/** For every rule of the binary headers, the copies and the text of the JSON, pairs of volumes. */

import { MemorySource } from "../../src/bytes/mod.ts";
import { pair, type RuleCase, value } from "./rule_case.ts";
import { changed, changedVolume, modelOf, UUID, volumeOf } from "./volumes.ts";

const none = {};
const JSON_BYTES = 0x4000 - 4096;

const binaryCases: RuleCase[] = [
  {
    rule: "luks2.open.key-present",
    about: "there is no passphrase",
    broken: { source: volumeOf().source },
    kept: volumeOf(),
  },
  pair("luks2.header.readable", "the file ends inside the first binary header", {
    broken: { size: 4095 },
    kept: none,
  }),
  pair("luks2.header.readable", "the file ends a byte before the end of the primary copy", {
    broken: { size: 0x3fff },
    kept: { size: 0x4000 + 0x4000 + 2 * 258048 + 8192 },
  }),
  pair("luks2.header.magic", "both copies have another magic", {
    broken: { fields: { magic: "LUKS\xba\xbf" } },
    kept: { fields: { magic: "LUKS\xba\xbe" }, only: "primary" },
  }),
  pair("luks2.header.version", "the version is 0, not 2", {
    broken: { fields: { version: 0 } },
    kept: { fields: { version: 2 } },
  }),
  pair("luks2.header.primary-version", "the primary copy has version 3, not 0", {
    broken: { fields: { version: 3 }, only: "primary" },
    kept: { fields: { version: 0 }, only: "primary" },
  }),
  pair("luks2.header.primary-version", "both copies have version 1", {
    broken: { fields: { version: 1 } },
    kept: { fields: { version: 1 }, only: "secondary" },
  }),
  pair("luks2.header.offset", "both copies name another place", {
    broken: { fields: { hdr_offset: 1 } },
    kept: { fields: { hdr_offset: 1 }, only: "primary" },
  }),
  pair("luks2.header.size", "both copies have a size of 0x3fff", {
    broken: { fields: { hdr_size: 0x3fff } },
    kept: { fields: { hdr_size: 0x3fff }, only: "secondary" },
  }),
  pair("luks2.header.size", "both copies have a size of 0x5000", {
    broken: { fields: { hdr_size: 0x5000 } },
    kept: { fields: { hdr_size: 0x5000 }, only: "secondary" },
  }),
  {
    rule: "luks2.header.size-is-place",
    about: "the secondary copy says that it is longer, and the primary one is damaged",
    broken: changedVolume(
      none,
      { fields: { hdr_size: 0x8000 }, only: "secondary" },
      { fields: { csum: "" }, unsummed: true, only: "primary" },
    ),
    kept: changedVolume(none, { fields: { hdr_size: 0x8000 }, only: "secondary" }),
  },
  pair("luks2.header.checksum-hash", "the hash is sha257, not sha512", {
    broken: { fields: { csum_alg: "sha257" } },
    kept: { fields: { csum_alg: "sha512" } },
  }),
  pair("luks2.header.checksum", "both checksums are wrong in the last byte of the hash", {
    broken: { copy: (copy) => copy[448 + 31]! ^= 1, unsummed: true },
    kept: { copy: (copy) => copy[448 + 31]! ^= 1, unsummed: true, only: "primary" },
  }),
  pair("luks2.header.checksum", "the last byte of both JSON areas is another one", {
    broken: { copy: (copy) => copy[copy.length - 1]! ^= 1, unsummed: true },
    kept: { copy: (copy) => copy[copy.length - 1]! ^= 1, unsummed: true, only: "secondary" },
  }),
  pair("luks2.header.text-nul", "the label fills its field", {
    broken: { fields: { label: "x".repeat(48) } },
    kept: { fields: { label: "x".repeat(47) } },
  }),
  pair("luks2.header.text-nul", "the subsystem fills its field", {
    broken: { fields: { subsystem: "x".repeat(48) } },
    kept: { fields: { subsystem: "x".repeat(47) } },
  }),
  pair("luks2.header.padding", "there is a byte in the padding", {
    broken: { fields: { _padding: "\0\x01" } },
    kept: { fields: { _padding: "\0\0" } },
  }),
  pair("luks2.header.padding", "there is a byte behind a checksum of 32 bytes, not 64", {
    broken: { copy: (copy) => copy[448 + 32] = 1, unsummed: true },
    kept: { fields: { csum_alg: "sha512" } },
  }),
  pair("luks2.header.uuid", "the UUID is a digit short", {
    broken: { fields: { uuid: UUID.slice(0, 35) } },
    kept: { fields: { uuid: UUID.toUpperCase() } },
  }),
];

const copyCases: RuleCase[] = [
  pair("luks2.copy.primary", "the primary copy is damaged", {
    broken: { fields: { csum: "" }, unsummed: true, only: "primary" },
    kept: none,
  }),
  pair("luks2.copy.primary", "the JSON of the primary copy is no JSON, with its checksum", {
    broken: { text: (text) => text.slice(0, -1), only: "primary" },
    kept: { text: (text) => `${text} ` },
  }),
  pair("luks2.copy.secondary", "the secondary copy has no magic", {
    broken: { fields: { magic: "" }, only: "secondary" },
    kept: none,
  }),
  pair("luks2.copy.sequence", "the secondary copy is one update behind", {
    broken: { fields: { seqid: 4 }, only: "secondary" },
    kept: { fields: { seqid: 4 } },
  }),
  pair("luks2.copy.sequence", "the primary copy is one update behind", {
    broken: { fields: { seqid: 6 }, only: "secondary" },
    kept: { fields: { seqid: 2n ** 64n - 1n } },
  }),
  pair("luks2.copy.same", "the label of the secondary copy is another one", {
    broken: { fields: { label: "x" }, only: "secondary" },
    kept: { fields: { label: "x" } },
  }),
  pair("luks2.copy.same", "the JSON of the secondary copy has another flag", {
    broken: { json: (root) => void (root.config.flags = ["no-journal"]), only: "secondary" },
    kept: { json: (root) => void (root.config.flags = ["no-journal"]) },
  }),
  pair("luks2.copy.salt", "both copies have the same salt", {
    broken: { fields: { salt: "pepper" } },
    kept: { fields: { salt: "pepper" }, only: "secondary" },
  }),
  pair("luks2.file.areas", "the file ends a byte before the area for key slots", {
    broken: { size: 2 * 0x4000 + 2 * 258048 + 8191 },
    kept: { size: 2 * 0x4000 + 2 * 258048 + 8192 },
  }),
];

/** JSON that is as long as it may be, with a NUL byte behind it or without. */
function filled(bytes: number): (text: string) => string {
  return (text) => text + " ".repeat(bytes - text.length);
}

/** Values in each other, in a field that nobody reads. */
function nested(levels: number): string {
  return "[".repeat(levels) + "]".repeat(levels);
}

const inConfig = (text: string, added: string) =>
  text.replace('"config":{', `"config":{"x":${added},`);

const textCases: RuleCase[] = [
  pair("luks2.json.start", "a blank stands before the JSON, not behind it", {
    broken: { text: (text) => ` ${text}` },
    kept: { text: (text) => `${text} ` },
  }),
  pair("luks2.json.syntax", "a bracket is missing", {
    broken: { text: (text) => text.slice(0, -1) },
    kept: none,
  }),
  pair("luks2.json.syntax", "there is no JSON", {
    broken: { text: () => "{" },
    kept: { text: (text) => `${text}\n` },
  }),
  pair("luks2.json.syntax", "a number has two signs", {
    broken: { text: (text) => inConfig(text, "--1") },
    kept: { text: (text) => inConfig(text, "-1") },
  }),
  pair("luks2.json.syntax", "an escape is none", {
    broken: { text: (text) => inConfig(text, '"\\x41"') },
    kept: { text: (text) => inConfig(text, '"\\u0041"') },
  }),
  pair("luks2.json.depth", "33 values lie in each other", {
    broken: { text: (text) => inConfig(text, nested(31).replace("[]", "[1]")) },
    kept: { text: (text) => inConfig(text, nested(30)) },
  }),
  ...["/* x */1", "// x\n1", "'x'", "[1,]", "01", "1.", "NULL", "NaN", "-Infinity", '"\x01"']
    .map((added) =>
      pair("luks2.json.strict", `a value is ${JSON.stringify(added)}`, {
        broken: { text: (text) => inConfig(text, added) },
        kept: { text: (text) => inConfig(text, "1") },
      })
    ),
  pair("luks2.json.strict", "a name stands twice, not once", {
    broken: { text: (text) => inConfig(text, '1,"x":1') },
    kept: { text: (text) => inConfig(text, '1,"y":1') },
  }),
  pair("luks2.json.strict", "a string is not UTF-8", {
    broken: { text: (text) => inConfig(text, '"\xc3"') },
    kept: { text: (text) => inConfig(text, '"\xc3\xa4"') },
  }),
  pair("luks2.json.terminated", "blanks fill the area up to its end, not to the byte before", {
    broken: { text: filled(JSON_BYTES) },
    kept: { text: filled(JSON_BYTES - 1) },
  }),
  pair("luks2.json.terminated", "a letter follows the JSON", {
    broken: { text: (text) => `${text}x` },
    kept: { text: (text) => `${text}\n` },
  }),
  pair("luks2.json.terminated", "a byte is left at the end of the area", {
    broken: { copy: (copy) => copy[copy.length - 1] = 0x20 },
    kept: none,
  }),
  pair("luks2.json.fits", "json-c writes more bytes than the area has", {
    broken: { text: (text) => inConfig(text, `"${"\x01".repeat(2100)}"`) },
    kept: { text: (text) => inConfig(text, `"${"x".repeat(2100)}"`) },
  }),
  ...["config", "keyslots", "digests", "segments", "tokens"].map((name) =>
    value("luks2.json.sections", `/${name}`, { broken: undefined, kept: sectionOf(name) })
  ),
  value("luks2.json.sections", "/tokens", { broken: [], kept: {} }),
  pair("luks2.json.sections", "the outermost value is a string in braces, not an object", {
    broken: { text: () => "{}" },
    kept: none,
  }),
  pair("luks2.json.names", "a token is named 1x, not 11", {
    broken: { text: (text) => text.replace('"tokens":{"0"', '"tokens":{"1x"') },
    kept: { text: (text) => text.replace('"tokens":{"0"', '"tokens":{"11"') },
  }),
  pair("luks2.json.names", "a digest is named -1, not 1", {
    broken: { text: (text) => text.replace('"digests":{"0"', '"digests":{"-1"') },
    kept: { text: (text) => text.replace('"digests":{"0"', '"digests":{"1"') },
  }),
];

/** A section as it stands in the volume that is changed. */
function sectionOf(name: string): unknown {
  const { headerSize } = modelOf();
  const copy = changed({}).subarray(4096, headerSize);
  return JSON.parse(new TextDecoder().decode(copy).replace(/\0+$/, ""))[name];
}

/** A volume in whose JSON there are too many values to look at. */
const manyValues = (count: number): RuleCase["broken"] => ({
  source: new MemorySource(
    changed({ headerSize: 0x80000 }, {
      text: (text) => inConfig(text, `[${"1,".repeat(count - 1)}1]`),
    }),
  ),
  passphrase: "first",
});

const workCases: RuleCase[] = [
  {
    rule: "luks2.work.values",
    about: "the JSON has more than 100000 values",
    broken: manyValues(100_000),
    kept: manyValues(99_000),
  },
];

/** Pairs about the binary header, the copies and the text of the JSON. */
export const headerCases: readonly RuleCase[] = [
  ...binaryCases,
  ...copyCases,
  ...textCases,
  ...workCases,
];
