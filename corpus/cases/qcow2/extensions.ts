/** Cases of header extensions, and of the names in the first cluster. */

import { encode } from "../../../src/layout/mod.ts";
import { DRAFT_LUKS_EXTENSION, encryptionPointer, extensionTypes } from "../../../src/qcow2/mod.ts";
import { emptyHeader } from "../luks1/empty_header.ts";
import { type Case, casesOf } from "../case.ts";
import { bytes, type CaseEdit, flip, overwrite, resize, set } from "../edit.ts";
import { filled, small } from "./models.ts";

const { pair, field } = casesOf(small());

const CLUSTER = 4096;
const HEADER_LENGTH = 112;
/** The end of an empty list of extensions, after the end marker. */
const END_MARKER = HEADER_LENGTH + 8;
const UNKNOWN = 0x11111111;
const BACKING_OFFSET = "/header/backing_file_offset";

const unknown = (length: number, type = UNKNOWN) => ({ type, length, seed: 1 });
const withUnknown = small({ unknownExtensions: [unknown(8)] });
const withTwo = small({ unknownExtensions: [unknown(8), unknown(8, UNKNOWN + 1)] });
const withFormat = small({ backing: { name: "base", format: "raw" } });
const base = { base: filled(CLUSTER) };
const withNames = small({ featureTable: true });

const area: readonly Case[] = [
  field("qcow2.ext.header-in-area", BACKING_OFFSET, {
    bad: END_MARKER - 1,
    good: END_MARKER,
    leaves: ["qcow2.backing.empty"],
  }),
  field("qcow2.ext.length-in-area", "/extension[0]/length", {
    bad: CLUSTER - END_MARKER + 1,
    good: CLUSTER - END_MARKER,
  }),
  field("qcow2.ext.end-required", BACKING_OFFSET, {
    shows: "the area ends after the data of the only extension, without an end marker",
    base: withUnknown,
    bad: END_MARKER + 8,
    good: END_MARKER + 16,
    leaves: ["qcow2.ext.unknown", "qcow2.backing.empty"],
  }),
  pair("qcow2.ext.unique", {
    base: withTwo,
    breaks: [set("/extension[1]/type", UNKNOWN)],
    leaves: ["qcow2.ext.unknown"],
  }),
  pair("qcow2.ext.unknown", {
    shows: "the type of an extension is unknown, not that of the end marker",
    breaks: [set("/extension[0]/type", UNKNOWN)],
  }),
  pair("qcow2.ext.padding", {
    shows: "a byte of the padding after 'raw' is 1",
    base: withFormat,
    breaks: [bytes("/extension[0]/data", [1], 3)],
    files: base,
    leaves: ["blk.backing.short"],
  }),
  field("qcow2.ext.backing-format-length", "/extension[0]/length", {
    base: small({ backing: { name: "base", format: "fifteen-letters" } }),
    bad: 16,
    good: 15,
    files: base,
    leaves: ["blk.backing.driver-known"],
  }),
  pair("qcow2.ext.feature-table", {
    base: withNames,
    breaks: [set("/feature[0]/type", 3)],
    keeps: [set("/feature[0]/type", 2)],
  }),
  pair("qcow2.ext.feature-table-record", {
    base: withNames,
    breaks: [set("/feature[0]/bit", 64)],
    keeps: [set("/feature[0]/bit", 63)],
  }),
  pair("qcow2.ext.data-file-any", {
    happened: "a reader took the data from the file, and QEMU from the image",
    flags: ["wrong-data"],
    base: withUnknown,
    breaks: [set("/extension[0]/type", extensionTypes.dataFile)],
    keeps: [set("/extension[0]/type", extensionTypes.dataFile + 1)],
    leaves: ["qcow2.ext.unknown"],
  }),
];

/** An encryption header pointer to a LUKS header without a key, at the end of the file. */
const LUKS_OFFSET = 32768;
const luks = small({ unknownExtensions: [unknown(16)] });
const isLuks = [
  set("/header/crypt_method", 2),
  set("/extension[0]/type", extensionTypes.encryptionHeader),
  resize(LUKS_OFFSET + CLUSTER),
  pointer(LUKS_OFFSET, 2 ** 21),
  overwrite(LUKS_OFFSET, emptyHeader),
];

/** The other rules that all of them break. */
const LOCKED = ["luks.slot.any-enabled", "qcow2.crypt.key-present"] as const;
const HEADER_BYTES = 592;
/** The largest offset that QEMU reads: 2^63 - 2^30. */
const REQUEST_END = 2n ** 63n - 2n ** 30n;

/** The data of the encryption header pointer. */
function pointer(offset: number | bigint, length: number): CaseEdit {
  const value = { offset: BigInt(offset), length: BigInt(length) };
  return bytes("/extension[0]/data", encode(encryptionPointer, value));
}

const encryption: readonly Case[] = [
  pair("qcow2.ext.crypto-method", {
    base: luks,
    breaks: [...isLuks, set("/header/crypt_method", 1)],
    keeps: isLuks,
    leaves: LOCKED,
  }),
  pair("qcow2.ext.crypto-length", {
    base: luks,
    breaks: [...isLuks, set("/extension[0]/length", 15)],
    keeps: isLuks,
    leaves: LOCKED,
  }),
  pair("qcow2.ext.crypto-aligned", {
    shows: "the LUKS header starts one byte after a multiple of the cluster size",
    base: luks,
    breaks: [...isLuks, bytes("/extension[0]/data", [1], 7)],
    keeps: isLuks,
    leaves: LOCKED,
  }),
  pair("qcow2.crypt.luks-ext-present", {
    base: luks,
    breaks: [...isLuks, set("/extension[0]/type", UNKNOWN)],
    keeps: isLuks,
    leaves: LOCKED,
    live: { infoCrashes: true },
  }),
  pair("qcow2.ext.crypto-range", {
    shows: "the LUKS header has 591 bytes, not 592",
    base: luks,
    breaks: [...isLuks, pointer(LUKS_OFFSET, HEADER_BYTES - 1)],
    keeps: [...isLuks, pointer(LUKS_OFFSET, HEADER_BYTES)],
    leaves: LOCKED,
  }),
  pair("qcow2.ext.crypto-readable", {
    shows: "the LUKS header is at the largest offset that QEMU reads, not one cluster before it",
    base: luks,
    breaks: [...isLuks, pointer(REQUEST_END, HEADER_BYTES)],
    keeps: [...isLuks, pointer(REQUEST_END - BigInt(CLUSTER), HEADER_BYTES)],
    // There is no data at that offset, so no LUKS header.
    leaves: ["luks.header.magic", "qcow2.crypt.key-present"],
  }),
  pair("qcow2.crypt.draft-2016", {
    base: luks,
    breaks: [...isLuks, set("/extension[0]/type", DRAFT_LUKS_EXTENSION)],
    keeps: isLuks,
    leaves: LOCKED,
    live: { infoCrashes: true },
  }),
];

const named = small({ dataFile: { name: "data", raw: false } });
const INCOMPATIBLE = "/header/incompatible_features";

const dataFile: readonly Case[] = [
  pair("qcow2.datafile.named", { base: named, breaks: [set("/extension[0]/type", UNKNOWN)] }),
  pair("qcow2.datafile.named", { breaks: [flip(INCOMPATIBLE, 2)] }),
  pair("qcow2.datafile.opens", {
    shows: "the data file is called dath, which does not exist, not data",
    base: named,
    breaks: [bytes("/extension[0]/data", "dath")],
  }),
  pair("qcow2.datafile.name-nonempty", {
    shows: "the name of the data file starts with a NUL byte",
    base: named,
    breaks: [bytes("/extension[0]/data", [0])],
  }),
  pair("qcow2.datafile.raw-needs-file", { breaks: [flip("/header/autoclear_features", 1)] }),
];

const backed = small({ backing: { name: "base" } });

const names: readonly Case[] = [
  field("qcow2.backing.name-length", "/header/backing_file_size", {
    base: backed,
    bad: 1024,
    good: 1023,
    files: base,
    leaves: ["blk.name.nul", "blk.backing.short"],
  }),
  field("qcow2.backing.name-length", "/header/backing_file_size", {
    shows: "the name ends one byte after the first cluster, not with it",
    base: small({ backing: { name: "base" }, clusterBits: 9, size: 4096n, clusters: [] }),
    bad: 512 - END_MARKER + 1,
    good: 512 - END_MARKER,
    files: base,
    leaves: ["blk.name.nul"],
  }),
  field("qcow2.backing.name-position", BACKING_OFFSET, {
    bad: HEADER_LENGTH - 1,
    good: HEADER_LENGTH,
    leaves: ["qcow2.backing.empty"],
  }),
  field("qcow2.backing.empty", "/header/backing_file_size", {
    base: small({ backing: { name: "b" }, size: 4096n, clusters: [] }),
    bad: 0,
    good: 1,
    files: { b: base.base },
  }),
  pair("qcow2.backing.empty", {
    shows: "the backing file name starts with a NUL byte",
    base: small({ backing: { name: "b" }, size: 4096n, clusters: [] }),
    breaks: [bytes("/backing_name", [0])],
    files: { b: base.base },
  }),
];

/** Cases of header extensions and names. */
export const extensionCases: readonly Case[] = [
  ...area,
  ...encryption,
  ...dataFile,
  ...names,
];
