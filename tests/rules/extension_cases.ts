/** Rows for header extensions, and for the names in the first cluster. */

import { DRAFT_LUKS_EXTENSION, extensionTypes } from "../../src/qcow2/structures.ts";
import { bytes, type Change, field, flip, row, type RuleRow, set, small } from "./row.ts";
import { luksHeader } from "./luks_header.ts";

const CLUSTER = 4096;
const HEADER_LENGTH = 112;
/** Where the extensions end that have no data: behind the end marker. */
const END_MARKER = HEADER_LENGTH + 8;
const UNKNOWN = 0x11111111;
const BACKING_OFFSET = "/header/backing_file_offset";

const unknown = (length: number, type = UNKNOWN) => ({ type, length, seed: 1 });
const withUnknown = small({ unknownExtensions: [unknown(8)] });
const withTwo = small({ unknownExtensions: [unknown(8), unknown(8, UNKNOWN + 1)] });
const withFormat = small({ backing: { name: "base", format: "raw" } });
const base = { base: new Uint8Array(CLUSTER).fill(7) };
const withNames = small({ featureTable: true });

const area: readonly RuleRow[] = [
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
    about: "the area ends behind the data of the only extension, not behind an end marker",
    base: withUnknown,
    bad: END_MARKER + 8,
    good: END_MARKER + 16,
    leaves: ["qcow2.ext.unknown", "qcow2.backing.empty"],
  }),
  row("qcow2.ext.unique", {
    base: withTwo,
    breaks: [set("/extension[1]/type", UNKNOWN)],
    leaves: ["qcow2.ext.unknown"],
  }),
  row("qcow2.ext.unknown", {
    about: "an extension of a type that nobody knows, not the end marker",
    breaks: [set("/extension[0]/type", UNKNOWN)],
  }),
  row("qcow2.ext.padding", {
    about: "a byte behind the three of 'raw' is 1",
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
  row("qcow2.ext.feature-table", {
    base: withNames,
    breaks: [set("/feature[0]/type", 3)],
    keeps: [set("/feature[0]/type", 2)],
  }),
  row("qcow2.ext.feature-table-record", {
    base: withNames,
    breaks: [set("/feature[0]/bit", 64)],
    keeps: [set("/feature[0]/bit", 63)],
  }),
  row("qcow2.ext.data-file-any", {
    base: withUnknown,
    breaks: [set("/extension[0]/type", extensionTypes.dataFile)],
    keeps: [set("/extension[0]/type", extensionTypes.dataFile + 1)],
    leaves: ["qcow2.ext.unknown"],
  }),
];

/** An encryption header pointer to a LUKS header without a key, behind everything else. */
const LUKS_OFFSET = 32768;
const luks = small({ unknownExtensions: [unknown(16)] });
const isLuks = [
  set("/header/crypt_method", 2),
  set("/extension[0]/type", extensionTypes.encryptionHeader),
  { op: "resize", size: LUKS_OFFSET + CLUSTER } as const,
  bytes("/extension[0]/data", [0, 0, 0, 0, 0, 0, LUKS_OFFSET >> 8, 0, 0, 0, 0, 0, 0, 0x20, 0, 0]),
  { op: "bytes", skip: LUKS_OFFSET, bytes: luksHeader } as const,
];

/** What else is wrong with all of them. */
const LOCKED = ["luks.slot.any-enabled", "qcow2.crypt.key-present"] as const;
const HEADER_BYTES = 592;
/** Where QEMU stops reading: 2^63 - 2^30. */
const REQUEST_END = 2n ** 63n - 2n ** 30n;

/** The data of the encryption header pointer. */
function pointer(offset: number | bigint, length: number): Change {
  const data = new Uint8Array(16);
  const view = new DataView(data.buffer);
  view.setBigUint64(0, BigInt(offset));
  view.setBigUint64(8, BigInt(length));
  return bytes("/extension[0]/data", [...data]);
}

const encryption: readonly RuleRow[] = [
  row("qcow2.ext.crypto-method", {
    base: luks,
    breaks: [...isLuks, set("/header/crypt_method", 1)],
    keeps: isLuks,
    leaves: LOCKED,
  }),
  row("qcow2.ext.crypto-length", {
    base: luks,
    breaks: [...isLuks, set("/extension[0]/length", 15)],
    keeps: isLuks,
    leaves: LOCKED,
  }),
  row("qcow2.ext.crypto-aligned", {
    base: luks,
    breaks: [...isLuks, bytes("/extension[0]/data", [1], 7)],
    keeps: isLuks,
    leaves: LOCKED,
  }),
  row("qcow2.crypt.luks-ext-present", {
    base: luks,
    breaks: [...isLuks, set("/extension[0]/type", UNKNOWN)],
    keeps: isLuks,
    leaves: LOCKED,
    live: { infoCrashes: true },
  }),
  row("qcow2.ext.crypto-range", {
    base: luks,
    breaks: [...isLuks, pointer(LUKS_OFFSET, HEADER_BYTES - 1)],
    keeps: [...isLuks, pointer(LUKS_OFFSET, HEADER_BYTES)],
    leaves: LOCKED,
  }),
  row("qcow2.ext.crypto-readable", {
    base: luks,
    breaks: [...isLuks, pointer(REQUEST_END, HEADER_BYTES)],
    keeps: [...isLuks, pointer(REQUEST_END - BigInt(CLUSTER), HEADER_BYTES)],
    // There is nothing there, and so no LUKS header.
    leaves: ["luks.header.magic", "qcow2.crypt.key-present"],
  }),
  row("qcow2.crypt.draft-2016", {
    base: luks,
    breaks: [...isLuks, set("/extension[0]/type", DRAFT_LUKS_EXTENSION)],
    keeps: isLuks,
    leaves: LOCKED,
    live: { infoCrashes: true },
  }),
];

const named = small({ dataFile: { name: "data", raw: false } });
const INCOMPATIBLE = "/header/incompatible_features";

const dataFile: readonly RuleRow[] = [
  row("qcow2.datafile.named", {
    base: named,
    breaks: [set("/extension[0]/type", UNKNOWN)],
  }),
  row("qcow2.datafile.named", { breaks: [flip(INCOMPATIBLE, 2)] }),
  row("qcow2.datafile.opens", {
    about: "the data file is named dath, which is not there, not data",
    base: named,
    breaks: [bytes("/extension[0]/data", "dath")],
  }),
  row("qcow2.datafile.name-nonempty", {
    base: named,
    breaks: [bytes("/extension[0]/data", [0])],
  }),
  row("qcow2.datafile.raw-needs-file", { breaks: [flip("/header/autoclear_features", 1)] }),
];

const backed = small({ backing: { name: "base" } });

const names: readonly RuleRow[] = [
  field("qcow2.backing.name-length", "/header/backing_file_size", {
    base: backed,
    bad: 1024,
    good: 1023,
    files: base,
    leaves: ["blk.name.nul", "blk.backing.short"],
  }),
  field("qcow2.backing.name-length", "/header/backing_file_size", {
    about: "the name ends a byte behind the first cluster, not with it",
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
  row("qcow2.backing.empty", {
    about: "the backing file name starts with NUL",
    base: small({ backing: { name: "b" }, size: 4096n, clusters: [] }),
    breaks: [bytes("/backing_name", [0])],
    files: { b: base.base },
  }),
];

export const extensionRows: readonly RuleRow[] = [
  ...area,
  ...encryption,
  ...dataFile,
  ...names,
];
