/** Rows for what a write would put where metadata lies. */

import { COPIED, flip, lead, OFF_CLUSTER, row, type RuleRow, set, small, snapshot } from "./row.ts";

const SIZE = 65536;
const FIRST = "/l2[0]/0/l2_entry";
const L1 = "/l1/0/l1_entry";
const WRITE = { writes: "write 0 512" } as const;

/** A second L2 table, and a cluster of data of its own in each. */
const twoTables = small({
  size: 2n ** 22n,
  clusters: [0, 1, 512].map((index) => ({
    index,
    kind: "data",
    pattern: { kind: "noise", seed: index },
  })),
});
const withSnapshot = small({ snapshots: [snapshot(1, SIZE)] });
/** A snapshot with an L2 table of its own. */
const withTable = small({
  snapshots: [
    snapshot(1, SIZE, {
      clusters: [{ index: 3, kind: "data", pattern: { kind: "noise", seed: 9 } }],
    }),
  ],
});
const withBitmap = small({
  bitmaps: [{
    name: "one",
    granularityBits: 16,
    auto: false,
    inUse: false,
    table: ["zeros"],
    seed: 1,
  }],
});

/** The first guest cluster is said to lie where something else does. */
const overData: readonly RuleRow[] = [
  row("qcow2.write.overlap-l1", { breaks: lead(FIRST, "/l1"), live: WRITE }),
  row("qcow2.write.overlap-l2", { breaks: lead(FIRST, "/l2[0]"), live: WRITE }),
  row("qcow2.write.overlap-reftable", { breaks: lead(FIRST, "/reftable"), live: WRITE }),
  row("qcow2.write.overlap-refblock", { breaks: lead(FIRST, "/refblock[0]"), live: WRITE }),
  row("qcow2.write.overlap-snaptable", {
    base: withSnapshot,
    breaks: lead(FIRST, "/snapshots"),
    live: WRITE,
  }),
  row("qcow2.write.overlap-inactive-l1", {
    base: withSnapshot,
    breaks: lead(FIRST, "/snapshot[0]/l1"),
    live: WRITE,
  }),
  row("qcow2.write.overlap-inactive-l2", {
    base: withTable,
    breaks: lead(FIRST, "/l2[1]"),
    live: { ...WRITE, overlapCheck: "all" },
  }),
  row("qcow2.write.overlap-bitmapdir", {
    base: withBitmap,
    breaks: lead(FIRST, "/bitmap_directory"),
    live: WRITE,
  }),
];

/** Tables that are written in place lie where something else does. */
const overTables: readonly RuleRow[] = [
  row("qcow2.write.overlap-header", {
    about: "the L1 table lies at offset 0",
    breaks: [set("/header/l1_table_offset", 0)],
    live: WRITE,
  }),
  row("qcow2.write.overlap-refblock", {
    about: "an L2 table lies where the refcount block is",
    base: twoTables,
    breaks: lead(L1, "/refblock[0]"),
    live: WRITE,
  }),
  row("qcow2.write.overlap-l1", {
    about: "the second refcount block lies where the L1 table is",
    breaks: [{ op: "point", path: "/reftable/1/refcount_table_entry", at: "/l1", delta: 0 }],
  }),
];

/** An open for writing marks the bitmaps as in use, in their directory. */
const overDirectory: RuleRow = row("qcow2.write.overlap-inactive-l1", {
  about: "the bitmap directory lies where the L1 table of a snapshot is",
  base: { ...withBitmap, snapshots: withSnapshot.snapshots },
  breaks: [
    { op: "point", path: "/snapshot[0]/l1_table_offset", at: "/bitmap_directory", delta: 0 },
  ],
  live: {
    ...WRITE,
    not: { questions: ["write"], because: "to open it for writing is the write that is refused" },
  },
});

const others: readonly RuleRow[] = [
  row("qcow2.write.alloc-zero", {
    base: small({ clusters: [] }),
    breaks: [{ op: "refcount", of: "/header", value: 0 }],
    live: WRITE,
  }),
  row("qcow2.write.alloc-zero", {
    about: "the refcount of the header is 0, and a compressed cluster is written",
    breaks: [{ op: "refcount", of: "/header", value: 0 }],
    live: { writes: "write -c 8192 4096" },
  }),
  row("qcow2.write.inplace-aligned", {
    about: "a cluster off a boundary has the copied flag",
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

export const writeRows: readonly RuleRow[] = [...overData, ...overTables, overDirectory, ...others];
