/** Cases of bitmaps: their extension, their directory, their tables and their bits. */

import { type Case, casesOf } from "../case.ts";
import { bytes, type CaseEdit, end, flip, point, set } from "../edit.ts";
import { bitmap, END, small } from "./models.ts";

const { pair, field } = casesOf(small());

const CLUSTER = 4096;
/** An entry of the directory without its name. */
const HEAD = 24;
const EXTENSION = "/bitmaps";
const FIRST = "/bitmap[0]";
const ENTRY = "/bitmap[0]/table/0/bitmap_table_entry";
const AUTO = 2;
const IN_USE = 1;

const one = small({ bitmaps: [bitmap("one")] });
const two = small({ bitmaps: [bitmap("one"), bitmap("two")] });
const inUse = small({ bitmaps: [bitmap("one", { inUse: true })] });
/** Clusters of 512 bytes. The bitmap has one table entry of zeros and covers 2 MiB. */
const tiny = small({
  clusterBits: 9,
  size: 2n ** 21n,
  clusters: [],
  bitmaps: [bitmap("one", { granularityBits: 9, table: ["zeros"] })],
});

const extension: readonly Case[] = [
  field("qcow2.ext.bitmaps-length", "/extension[0]/length", { base: one, bad: 23, good: 24 }),
  pair("qcow2.ext.bitmaps-autoclear", {
    base: one,
    breaks: [flip("/header/autoclear_features", 0)],
    live: { warns: { at: "info", says: /bitmaps.*inconsistent/ } },
  }),
  field("qcow2.ext.bitmaps-reserved", `${EXTENSION}/reserved`, { base: one, bad: 1, good: 0 }),
  field("qcow2.ext.bitmaps-count-max", `${EXTENSION}/nb_bitmaps`, {
    base: one,
    bad: 65536,
    good: 65535,
    leaves: ["qcow2.bitmap.count-not-less"],
  }),
  field("qcow2.ext.bitmaps-count-min", `${EXTENSION}/nb_bitmaps`, { base: one, bad: 0, good: 1 }),
  pair("qcow2.ext.bitmaps-dir-aligned", {
    base: one,
    breaks: [point(`${EXTENSION}/bitmap_directory_offset`, "/bitmap_directory", 1)],
  }),
  field("qcow2.ext.bitmaps-dir-size-max", `${EXTENSION}/bitmap_directory_size`, {
    base: one,
    bad: 1024 * 65535 + 1,
    good: 1024 * 65535,
    leaves: ["qcow2.bitmap.count-not-more"],
  }),
];

const directory: readonly Case[] = [
  field("qcow2.bitmap.dir-size-nonzero", `${EXTENSION}/bitmap_directory_size`, {
    base: one,
    bad: 0,
    good: HEAD + 8,
  }),
  field("qcow2.bitmap.dir-entry-fits", `${EXTENSION}/bitmap_directory_size`, {
    base: one,
    bad: HEAD + 7,
    good: HEAD + 8,
  }),
  field("qcow2.bitmap.dir-readable", `${EXTENSION}/bitmap_directory_offset`, {
    base: tiny,
    bad: END,
    good: END - 512n,
    leaves: [
      "qcow2.bitmap.dir-entry-fits",
      "qcow2.bitmap.count-not-more",
      "qcow2.bitmap.table-size-nonzero",
      "qcow2.bitmap.table-offset-nonzero",
      "qcow2.bitmap.covers-disk",
      "qcow2.bitmap.granularity-min",
      "qcow2.bitmap.type",
      "qcow2.bitmap.name-nonempty",
    ],
  }),
  field("qcow2.bitmap.count-not-more", `${EXTENSION}/nb_bitmaps`, { base: two, bad: 1, good: 2 }),
  field("qcow2.bitmap.count-not-less", `${EXTENSION}/nb_bitmaps`, { base: two, bad: 3, good: 2 }),
  pair("qcow2.bitmap.no-extra-data", {
    shows: "a directory entry has 8 bytes of extra data",
    base: one,
    breaks: [
      set(`${FIRST}/extra_data_size`, 8),
      set(`${EXTENSION}/bitmap_directory_size`, HEAD + 16),
    ],
  }),
  pair("qcow2.bitmap.name-unique", {
    shows: "two bitmaps have the same name",
    base: two,
    breaks: [{ op: "duplicate", path: "/bitmap[1]/name", from: "/bitmap[0]/name" }],
  }),
  pair("qcow2.bitmap.name-unique-in-use", {
    shows: "a bitmap that is in use has the name of another one",
    base: small({ bitmaps: [bitmap("one"), bitmap("two", { inUse: true })] }),
    breaks: [{ op: "duplicate", path: "/bitmap[1]/name", from: "/bitmap[0]/name" }],
    leaves: ["qcow2.bitmap.in-use"],
  }),
  pair("qcow2.bitmap.name-nonempty", {
    shows: "the name is empty, not one byte long",
    base: small({ bitmaps: [bitmap("x")] }),
    breaks: [set(`${FIRST}/name_size`, 0), set(`${EXTENSION}/bitmap_directory_size`, HEAD)],
  }),
  field("qcow2.bitmap.name-max", `${FIRST}/name_size`, {
    base: small({ bitmaps: [bitmap("n".repeat(1023))] }),
    bad: 1024,
    good: 1023,
  }),
  pair("qcow2.bitmap.name-rewritten", {
    shows:
      "a NUL byte in a name of nine bytes, not of three, makes the entry shorter when it is rewritten",
    base: small({ bitmaps: [bitmap("ninechars")] }),
    breaks: [bytes(`${FIRST}/name`, [0], 8)],
    kept: { base: one },
    keeps: [bytes(`${FIRST}/name`, [0], 2)],
    leaves: ["blk.name.nul"],
  }),
  pair("qcow2.bitmap.dir-padding", {
    shows: "the first byte of the padding after a name is 1",
    base: one,
    breaks: [bytes(`${FIRST}/name`, [1], "one".length)],
  }),
];

/** A table of so many entries of zeros. */
function tableBehind(entries: number): CaseEdit[] {
  return [end(`${FIRST}/bitmap_table_offset`), set(`${FIRST}/bitmap_table_size`, entries)];
}

const entry: readonly Case[] = [
  field("qcow2.bitmap.table-size-nonzero", `${FIRST}/bitmap_table_size`, {
    base: inUse,
    bad: 0,
    good: 1,
    leaves: ["qcow2.bitmap.in-use"],
  }),
  pair("qcow2.bitmap.table-offset-nonzero", {
    base: one,
    breaks: [set(`${FIRST}/bitmap_table_offset`, 0)],
  }),
  pair("qcow2.bitmap.table-aligned", {
    base: one,
    breaks: [point(`${FIRST}/bitmap_table_offset`, `${FIRST}/table`, 1)],
  }),
  field("qcow2.bitmap.table-size-max", `${FIRST}/bitmap_table_size`, {
    base: inUse,
    bad: 0x8000001,
    good: 0x8000000,
    leaves: ["qcow2.bitmap.in-use", "qcow2.bitmap.phys-max"],
  }),
  pair("qcow2.bitmap.phys-max", {
    shows:
      "a bitmap in use, whose table is behind the end of the file, is one cluster longer than 512 MiB",
    base: inUse,
    breaks: tableBehind(2 ** 29 / CLUSTER + 1),
    keeps: tableBehind(2 ** 29 / CLUSTER),
    leaves: [
      "qcow2.bitmap.in-use",
      "qcow2.check.region-beyond-eof",
      "qcow2.check.refcount-high",
    ],
  }),
  field("qcow2.bitmap.granularity-max", `${FIRST}/granularity_bits`, {
    base: one,
    bad: 32,
    good: 31,
  }),
  field("qcow2.bitmap.granularity-min", `${FIRST}/granularity_bits`, {
    base: one,
    bad: 8,
    good: 9,
  }),
  field("qcow2.bitmap.granularity-valid", `${FIRST}/granularity_bits`, {
    base: one,
    bad: 64,
    good: 63,
    leaves: ["qcow2.bitmap.granularity-max"],
  }),
  field("qcow2.bitmap.flags-reserved", `${FIRST}/flags`, { base: one, bad: 4, good: AUTO }),
  field("qcow2.bitmap.flags-defined", `${FIRST}/flags`, {
    base: one,
    bad: 8,
    good: 4,
    leaves: ["qcow2.bitmap.flags-reserved"],
  }),
  field("qcow2.bitmap.in-use", `${FIRST}/flags`, { base: one, bad: IN_USE, good: AUTO }),
  field("qcow2.bitmap.type", `${FIRST}/type`, { base: one, bad: 2, good: 1 }),
  field("qcow2.bitmap.type", `${FIRST}/type`, { base: one, bad: 0, good: 1 }),
  pair("qcow2.bitmap.covers-disk", {
    shows: "the disk is one sector longer than the bitmap",
    base: small({ ...tiny, placement: { ...tiny.placement, spareL1: 1 } }),
    breaks: [set("/header/size", 2 ** 21 + 512)],
  }),
];

const tables: readonly Case[] = [
  field("qcow2.bitmap.table-readable", `${FIRST}/bitmap_table_offset`, {
    base: tiny,
    bad: END,
    good: END - 512n,
    leaves: ["qcow2.check.region-beyond-eof", "qcow2.check.refcount-high"],
  }),
  pair("qcow2.bitmap.table-entry-reserved", { base: one, breaks: [flip(ENTRY, 1)] }),
  pair("qcow2.bitmap.table-entry-reserved", { base: one, breaks: [flip(ENTRY, 56)] }),
  pair("qcow2.bitmap.table-entry-bit0", {
    shows: "an entry with an offset has bit 0 set, not an entry of zeros",
    base: one,
    breaks: [flip(ENTRY, 0)],
    kept: { base: small({ bitmaps: [bitmap("one", { table: ["zeros"] })] }) },
    keeps: [flip(ENTRY, 0)],
  }),
  pair("qcow2.bitmap.table-entry-aligned", { base: one, breaks: [flip(ENTRY, 9)] }),
  field("qcow2.bitmap.table-size-exact", `${FIRST}/bitmap_table_size`, {
    base: one,
    bad: 2,
    good: 1,
  }),
  pair("qcow2.bitmap.tail-zero", {
    shows: "the second bit is set of a bitmap that has one",
    base: one,
    breaks: [bytes(`${FIRST}/data[0]`, [2])],
    keeps: [bytes(`${FIRST}/data[0]`, [1])],
  }),
];

/** Cases of bitmaps. */
export const bitmapCases: readonly Case[] = [
  ...extension,
  ...directory,
  ...entry,
  ...tables,
];
