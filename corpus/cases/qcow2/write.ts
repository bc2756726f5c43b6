/** Cases of writes that would overwrite metadata. */

import { type Case, casesOf } from "../case.ts";
import { flip, point, refcount, set } from "../edit.ts";
import { bitmap, COPIED, lead, OFF_CLUSTER, small, snapshot } from "./models.ts";

const { pair } = casesOf(small());

const SIZE = 65536;
const FIRST = "/l2[0]/0/l2_entry";
const L1 = "/l1/0/l1_entry";
const WRITE = { writes: "write 0 512" } as const;

/** A second L2 table, and a data cluster in each. */
const twoTables = small({
  size: 2n ** 22n,
  clusters: [0, 1, 512].map((index) => ({
    index,
    kind: "data",
    pattern: { kind: "noise", seed: index },
  })),
});
const withSnapshot = small({ snapshots: [snapshot(1, SIZE)] });
/** A snapshot with its own L2 table. */
const withTable = small({
  snapshots: [
    snapshot(1, SIZE, {
      clusters: [{ index: 3, kind: "data", pattern: { kind: "noise", seed: 9 } }],
    }),
  ],
});
const withBitmap = small({ bitmaps: [bitmap("one", { table: ["zeros"] })] });

/** The first guest cluster is at the offset of another structure. */
const overData: readonly Case[] = [
  pair("qcow2.write.overlap-l1", {
    shows: "the first guest cluster is where the L1 table is",
    breaks: lead(FIRST, "/l1"),
    live: WRITE,
  }),
  pair("qcow2.write.overlap-l2", {
    shows: "the first guest cluster is where an L2 table is",
    breaks: lead(FIRST, "/l2[0]"),
    live: WRITE,
  }),
  pair("qcow2.write.overlap-reftable", {
    shows: "the first guest cluster is where the refcount table is",
    breaks: lead(FIRST, "/reftable"),
    live: WRITE,
  }),
  pair("qcow2.write.overlap-refblock", {
    shows: "the first guest cluster is where a refcount block is",
    breaks: lead(FIRST, "/refblock[0]"),
    live: WRITE,
  }),
  pair("qcow2.write.overlap-snaptable", {
    shows: "the first guest cluster is where the snapshot table is",
    base: withSnapshot,
    breaks: lead(FIRST, "/snapshots"),
    live: WRITE,
  }),
  pair("qcow2.write.overlap-inactive-l1", {
    shows: "the first guest cluster is where the L1 table of a snapshot is",
    base: withSnapshot,
    breaks: lead(FIRST, "/snapshot[0]/l1"),
    live: WRITE,
  }),
  pair("qcow2.write.overlap-inactive-l2", {
    shows: "the first guest cluster is where the L2 table of a snapshot is",
    base: withTable,
    breaks: lead(FIRST, "/l2[1]"),
    live: { ...WRITE, overlapCheck: "all" },
  }),
  pair("qcow2.write.overlap-bitmapdir", {
    shows: "the first guest cluster is where the bitmap directory is",
    base: withBitmap,
    breaks: lead(FIRST, "/bitmap_directory"),
    live: WRITE,
  }),
];

/** Tables that are written in place are at the offset of another structure. */
const overTables: readonly Case[] = [
  pair("qcow2.write.overlap-header", {
    shows: "the L1 table is at offset 0",
    breaks: [set("/header/l1_table_offset", 0)],
    live: WRITE,
  }),
  pair("qcow2.write.overlap-refblock", {
    shows: "an L2 table is where the refcount block is",
    base: twoTables,
    breaks: lead(L1, "/refblock[0]"),
    live: WRITE,
  }),
  pair("qcow2.write.overlap-l1", {
    shows: "the second refcount block is where the L1 table is",
    breaks: [point("/reftable/1/refcount_table_entry", "/l1")],
  }),
];

/** An open for writing marks the bitmaps in their directory as in use. */
const overDirectory: Case = pair("qcow2.write.overlap-inactive-l1", {
  shows: "the L1 table of a snapshot is where the bitmap directory is",
  base: small({ bitmaps: withBitmap.bitmaps, snapshots: withSnapshot.snapshots }),
  breaks: [point("/snapshot[0]/l1_table_offset", "/bitmap_directory")],
  live: {
    ...WRITE,
    not: {
      questions: ["write"],
      because: "opening the image for writing is the write that is rejected",
    },
  },
});

const others: readonly Case[] = [
  pair("qcow2.write.alloc-zero", {
    shows: "the refcount of the header is 0, and a cluster is written",
    base: small({ clusters: [] }),
    breaks: [refcount("/header", 0)],
    live: WRITE,
  }),
  pair("qcow2.write.alloc-zero", {
    shows: "the refcount of the header is 0, and a compressed cluster is written",
    breaks: [refcount("/header", 0)],
    live: { writes: "write -c 8192 4096" },
  }),
  pair("qcow2.write.inplace-aligned", {
    shows: "an entry whose offset is not a multiple of the cluster size has the copied flag",
    breaks: [flip(FIRST, OFF_CLUSTER)],
    keeps: [flip(FIRST, OFF_CLUSTER), flip(FIRST, COPIED)],
    leaves: [
      "qcow2.l2e.aligned",
      "qcow2.l2e.copied",
      "qcow2.check.data-aligned",
      "qcow2.check.refcount-low",
      "qcow2.check.copied-l2",
    ],
    live: { writes: "write 0 4096" },
  }),
];

/** Cases of writes. */
export const writeCases: readonly Case[] = [...overData, ...overTables, overDirectory, ...others];
