/** Cases of what check counts. */

import { type Case, casesOf } from "../case.ts";
import { bytes, type CaseEdit, cut, end, flip, point, refcount, set } from "../edit.ts";
import {
  bitmap,
  COMPRESSED,
  compressed,
  COPIED,
  data,
  empty,
  emptySnapshots,
  END,
  extended,
  OFF_CLUSTER,
  reserved,
  small,
  snapshot,
} from "./models.ts";

const { pair, field } = casesOf(small());

const SIZE = 65536;
const CLUSTER = 4096;
const L1 = "/l1/0/l1_entry";
const FIRST = "/l2[0]/0/l2_entry";
const BITMAP = "/l2[0]/0/subcluster_bitmap";
const REFBLOCK = "/reftable/0/refcount_table_entry";
const NEXT_REFBLOCK = "/reftable/1/refcount_table_entry";
const ENTRY = "/bitmap[0]/table/0/bitmap_table_entry";

const v2 = { version: 2, headerLength: 72 } as const;
const packed = small({ clusters: [compressed(0), data(1)] });
const named = small({ dataFile: { name: "data", raw: false }, clusters: [data(0)] });
const one = small({ snapshots: [snapshot(1, SIZE)] });

const aborts: readonly Case[] = [
  pair("qcow2.check.snap-count", {
    base: empty(v2),
    breaks: emptySnapshots(65537),
    keeps: emptySnapshots(65536),
    leaves: ["qcow2.snap.unique-id", "qcow2.check.region-beyond-eof"],
    live: {
      not: {
        questions: ["info", "read", "content", "write"],
        because: "qemu takes seconds to read so many snapshots",
      },
    },
  }),
  pair("qcow2.check.length", {
    shows: "the file, nearly all of it a hole, has 2^31 clusters, not one less",
    base: empty({ clusterBits: 9 }),
    breaks: [{ op: "lengthen", size: 2 ** 40 }],
    keeps: [{ op: "lengthen", size: 2 ** 40 - 512 }],
    live: {
      not: {
        questions: ["check"],
        of: "kept",
        because: "qemu looks at each of the clusters, which takes minutes and gigabytes",
      },
    },
  }),
  field("qcow2.check.snap-offset", "/header/snapshots_offset", { bad: 1, good: 0 }),
  field("qcow2.check.snap-extra", "/snapshot[0]/extra_data_size", {
    base: small({ snapshots: [snapshot(1, SIZE, { extraSize: 1024 })] }),
    bad: 1025,
    good: 1024,
  }),
  field("qcow2.check.l2-io", "/snapshot[0]/l1_table_offset", {
    base: one,
    bad: END,
    good: END - BigInt(CLUSTER),
    leaves: ["qcow2.check.region-beyond-eof", "qcow2.check.refcount-high"],
  }),
  field("qcow2.check.l2-io", "/snapshot[0]/l1_table_offset", {
    base: one,
    bad: 2n ** 63n,
    good: 2n ** 62n,
    leaves: ["qcow2.check.region-beyond-eof", "qcow2.check.refcount-high"],
  }),
  pair("qcow2.check.bitmap-table", {
    base: small({ bitmaps: [bitmap("one", { inUse: true, table: ["ones"] })] }),
    breaks: [set(ENTRY, 2)],
    keeps: [set(ENTRY, 1)],
    leaves: ["qcow2.bitmap.in-use"],
  }),
];

const tables: readonly Case[] = [
  pair("qcow2.check.l1e-reserved", { breaks: [flip(L1, 8)] }),
  pair("qcow2.check.l1e-reserved", { breaks: [flip(L1, 56)] }),
  pair("qcow2.check.l2-aligned", { breaks: [flip(L1, OFF_CLUSTER)] }),
  pair("qcow2.check.l2e-reserved", { breaks: [flip(FIRST, 8)] }),
  pair("qcow2.check.l2e-reserved", { breaks: [flip(FIRST, 56)] }),
  pair("qcow2.check.comp-copied", { base: packed, breaks: [flip(FIRST, COPIED)] }),
  pair("qcow2.check.comp-datafile", {
    shows: "a cluster is compressed in an image with an external data file",
    base: named,
    breaks: [flip(FIRST, COMPRESSED), flip(FIRST, COPIED)],
  }),
  pair("qcow2.check.comp-bitmap", {
    base: extended({ clusters: [compressed(0)] }),
    breaks: [set(BITMAP, 1n << 63n)],
    keeps: [set(BITMAP, 0)],
  }),
  pair("qcow2.check.bitmap-conflict", {
    base: extended({
      clusters: [{
        index: 0,
        kind: "subclusters",
        allocated: 0x7fffffff,
        zero: 0x80000000,
        reserved: true,
        pattern: { kind: "text", seed: 1 },
      }],
    }),
    breaks: [flip(BITMAP, 31)],
  }),
  pair("qcow2.check.unalloc-bitmap", {
    base: extended({ clusters: [data(1)] }),
    breaks: [set(BITMAP, 1n << 31n)],
    keeps: [set(BITMAP, 1n << 32n)],
  }),
  pair("qcow2.check.data-aligned", { breaks: [flip(FIRST, OFF_CLUSTER)] }),
  pair("qcow2.check.prealloc-aligned", {
    base: small({ clusters: [reserved(0), data(1)] }),
    breaks: [flip(FIRST, OFF_CLUSTER)],
  }),
];

const snapshots: readonly Case[] = [
  field("qcow2.check.snap-incomplete", "/snapshot[0]/extra_data_size", {
    base: one,
    bad: 15,
    good: 16,
  }),
  pair("qcow2.check.snap-datafile", {
    base: named,
    breaks: emptySnapshots(1),
    keeps: emptySnapshots(0),
  }),
  pair("qcow2.check.snap-l1-aligned", {
    base: one,
    breaks: [point("/snapshot[0]/l1_table_offset", "/snapshot[0]/l1", 512)],
  }),
  pair("qcow2.check.snap-l1-size", {
    shows:
      "the L1 table of a snapshot, behind the end of the file, is one entry longer than 32 MiB",
    base: one,
    breaks: [end("/snapshot[0]/l1_table_offset"), set("/snapshot[0]/l1_size", 4194305)],
    keeps: [end("/snapshot[0]/l1_table_offset"), set("/snapshot[0]/l1_size", 4194304)],
    leaves: ["qcow2.check.region-beyond-eof", "qcow2.check.refcount-high"],
  }),
];

/** A second refcount block, in a new cluster at the end of the file. */
const added: readonly CaseEdit[] = [end(NEXT_REFBLOCK), { op: "grow", clusters: 1 }];

/** The next guest clusters also point to the host cluster of the first one. */
function shared(count: number): CaseEdit[] {
  return Array.from(
    { length: count },
    (_, i) => ({ op: "copy", path: `/l2[0]/${i + 1}/l2_entry`, from: FIRST }),
  );
}

const refcounts: readonly Case[] = [
  pair("qcow2.check.region-beyond-eof", {
    breaks: [cut("/data[1]", 0)],
    keeps: [cut("/data[1]", 1)],
  }),
  pair("qcow2.check.refcount-overflow", {
    shows: "a cluster has four references, but refcounts of two bits end at 3",
    base: small({ refcountOrder: 1, clusters: [data(0)] }),
    breaks: shared(3),
    keeps: shared(2),
    leaves: ["qcow2.check.refcount-low"],
  }),
  pair("qcow2.check.reftable-reserved", { breaks: [flip(REFBLOCK, 0)] }),
  pair("qcow2.check.reftable-reserved", { breaks: [flip(REFBLOCK, 8)] }),
  pair("qcow2.check.refblock-aligned", { breaks: [flip(REFBLOCK, OFF_CLUSTER)] }),
  pair("qcow2.check.refblock-outside", {
    shows: "a refcount block is behind the end of the file, not in its last cluster",
    breaks: [end(NEXT_REFBLOCK)],
    keeps: added,
    leaves: ["qcow2.check.refcount-low"],
  }),
  pair("qcow2.check.refblock-shared", {
    breaks: [point(NEXT_REFBLOCK, "/data[0]")],
    keeps: added,
    leaves: ["qcow2.check.refcount-low"],
  }),
  pair("qcow2.check.refcount-read", { breaks: [flip(REFBLOCK, OFF_CLUSTER)] }),
  pair("qcow2.check.refcount-low", {
    shows: "the refcount of a data cluster is 0, not 1",
    breaks: [refcount("/data[0]", 0)],
  }),
  pair("qcow2.check.refcount-high", {
    shows: "the refcount of a data cluster is 2, not 1",
    breaks: [refcount("/data[0]", 2)],
  }),
  pair("qcow2.check.refcount-high", {
    shows: "an unreferenced cluster has a refcount of 1, not 0",
    base: small({ placement: { leaks: 1 } }),
    breaks: [],
    keeps: [refcount("/leak[0]", 0)],
  }),
  pair("qcow2.check.refcount-high", {
    shows: "the refcount of 64 bits of the header is 2^32 + 1, not 1",
    base: small({ refcountOrder: 6 }),
    breaks: [bytes("/refblock[0]", [0, 0, 0, 1, 0, 0, 0, 1])],
  }),
  pair("qcow2.check.copied-l1", { breaks: [flip(L1, COPIED)] }),
  pair("qcow2.check.copied-l2", { breaks: [flip(FIRST, COPIED)] }),
];

/** Cases of what check counts. */
export const checkCases: readonly Case[] = [
  ...aborts,
  ...tables,
  ...snapshots,
  ...refcounts,
];
