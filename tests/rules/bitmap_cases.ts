/** Rows for bitmaps: their extension, their directory, their tables and their bits. */

import type { BitmapModel } from "../../src/qcow2/model.ts";
import {
  bytes,
  type Change,
  END,
  end,
  field,
  flip,
  point,
  row,
  type RuleRow,
  set,
  small,
} from "./row.ts";

const CLUSTER = 4096;
/** An entry of the directory without its name. */
const HEAD = 24;
const EXTENSION = "/bitmaps";
const FIRST = "/bitmap[0]";
const ENTRY = "/bitmap[0]/table/0/bitmap_table_entry";
const AUTO = 2;
const IN_USE = 1;

function bitmap(name: string, parts: Partial<BitmapModel> = {}): BitmapModel {
  return {
    name,
    granularityBits: 16,
    auto: false,
    inUse: false,
    table: ["data"],
    seed: 1,
    ...parts,
  };
}

const one = small({ bitmaps: [bitmap("one")] });
const two = small({ bitmaps: [bitmap("one"), bitmap("two")] });
const inUse = small({ bitmaps: [bitmap("one", { inUse: true })] });
/** Clusters of 512 bytes; the bitmap is a table entry of zeros, and covers 2 MiB with granularity 9. */
const tiny = small({
  clusterBits: 9,
  size: 2n ** 21n,
  clusters: [],
  bitmaps: [bitmap("one", { granularityBits: 9, table: ["zeros"] })],
});

const extension: readonly RuleRow[] = [
  field("qcow2.ext.bitmaps-length", "/extension[0]/length", { base: one, bad: 23, good: 24 }),
  row("qcow2.ext.bitmaps-autoclear", {
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
  row("qcow2.ext.bitmaps-dir-aligned", {
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

const directory: readonly RuleRow[] = [
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
  row("qcow2.bitmap.no-extra-data", {
    about: "an entry, and the directory with it, is 8 bytes longer for extra data",
    base: one,
    breaks: [
      set(`${FIRST}/extra_data_size`, 8),
      set(`${EXTENSION}/bitmap_directory_size`, HEAD + 16),
    ],
  }),
  row("qcow2.bitmap.name-unique", {
    base: two,
    breaks: [{ op: "duplicate", path: "/bitmap[1]/name", from: "/bitmap[0]/name" }],
  }),
  row("qcow2.bitmap.name-unique-in-use", {
    base: small({ bitmaps: [bitmap("one"), bitmap("two", { inUse: true })] }),
    breaks: [{ op: "duplicate", path: "/bitmap[1]/name", from: "/bitmap[0]/name" }],
    leaves: ["qcow2.bitmap.in-use"],
  }),
  row("qcow2.bitmap.name-nonempty", {
    about: "the name is empty, and the directory is as much shorter, not of one byte",
    base: small({ bitmaps: [bitmap("x")] }),
    breaks: [set(`${FIRST}/name_size`, 0), set(`${EXTENSION}/bitmap_directory_size`, HEAD)],
  }),
  field("qcow2.bitmap.name-max", `${FIRST}/name_size`, {
    base: small({ bitmaps: [bitmap("n".repeat(1023))] }),
    bad: 1024,
    good: 1023,
  }),
  row("qcow2.bitmap.name-rewritten", {
    about: "one of nine bytes of a name is NUL, not one of three: the entry gets shorter",
    base: small({ bitmaps: [bitmap("ninechars")] }),
    breaks: [bytes(`${FIRST}/name`, [0], 8)],
    kept: one,
    keeps: [bytes(`${FIRST}/name`, [0], 2)],
    leaves: ["blk.name.nul"],
  }),
  row("qcow2.bitmap.dir-padding", {
    base: one,
    breaks: [bytes(`${FIRST}/name`, [1], "one".length)],
  }),
];

/** A table of so many entries of zeros. */
function tableBehind(entries: number): Change[] {
  return [end(`${FIRST}/bitmap_table_offset`), set(`${FIRST}/bitmap_table_size`, entries)];
}

const entry: readonly RuleRow[] = [
  field("qcow2.bitmap.table-size-nonzero", `${FIRST}/bitmap_table_size`, {
    base: inUse,
    bad: 0,
    good: 1,
    leaves: ["qcow2.bitmap.in-use"],
  }),
  row("qcow2.bitmap.table-offset-nonzero", {
    base: one,
    breaks: [set(`${FIRST}/bitmap_table_offset`, 0)],
  }),
  row("qcow2.bitmap.table-aligned", {
    base: one,
    breaks: [point(`${FIRST}/bitmap_table_offset`, `${FIRST}/table`, 1)],
  }),
  field("qcow2.bitmap.table-size-max", `${FIRST}/bitmap_table_size`, {
    base: inUse,
    bad: 0x8000001,
    good: 0x8000000,
    leaves: ["qcow2.bitmap.in-use", "qcow2.bitmap.phys-max"],
  }),
  row("qcow2.bitmap.phys-max", {
    about: "a bitmap, in use and with its table behind the file, takes a cluster above 512 MiB",
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
  row("qcow2.bitmap.covers-disk", {
    about: "the disk is a sector longer than the bitmap",
    base: { ...tiny, placement: { ...tiny.placement, spareL1: 1 } },
    breaks: [set("/header/size", 2 ** 21 + 512)],
  }),
];

const tables: readonly RuleRow[] = [
  field("qcow2.bitmap.table-readable", `${FIRST}/bitmap_table_offset`, {
    base: tiny,
    bad: END,
    good: END - 512n,
    leaves: ["qcow2.check.region-beyond-eof", "qcow2.check.refcount-high"],
  }),
  row("qcow2.bitmap.table-entry-reserved", { base: one, breaks: [flip(ENTRY, 1)] }),
  row("qcow2.bitmap.table-entry-reserved", { base: one, breaks: [flip(ENTRY, 56)] }),
  row("qcow2.bitmap.table-entry-bit0", {
    base: one,
    breaks: [flip(ENTRY, 0)],
    kept: small({ bitmaps: [bitmap("one", { table: ["zeros"] })] }),
    keeps: [flip(ENTRY, 0)],
  }),
  row("qcow2.bitmap.table-entry-aligned", { base: one, breaks: [flip(ENTRY, 9)] }),
  field("qcow2.bitmap.table-size-exact", `${FIRST}/bitmap_table_size`, {
    base: one,
    bad: 2,
    good: 1,
  }),
  row("qcow2.bitmap.tail-zero", {
    about: "the second of the bits of a disk that takes up one is set",
    base: one,
    breaks: [bytes(`${FIRST}/data[0]`, [2])],
    keeps: [bytes(`${FIRST}/data[0]`, [1])],
  }),
];

export const bitmapRows: readonly RuleRow[] = [
  ...extension,
  ...directory,
  ...entry,
  ...tables,
];
