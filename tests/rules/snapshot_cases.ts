/** Rows for the snapshot table. */

import {
  type Change,
  data,
  empty,
  END,
  end,
  field,
  row,
  type RuleRow,
  set,
  small,
  snapshot,
} from "./row.ts";

const SIZE = 65536;
const v2 = { version: 2, headerLength: 72 } as const;
const HEAD = 40;
const one = small({ snapshots: [snapshot(1, SIZE)] });
const two = small({ snapshots: [snapshot(1, SIZE), snapshot(2, SIZE)] });
/** One disk that takes up all that an L1 entry of 4 KiB clusters covers. */
const COVERAGE = 2 ** 21;
const full = small({ size: BigInt(COVERAGE), snapshots: [snapshot(1, COVERAGE)] });

/** So many entries of zeros behind the end of the file. */
function zeros(count: number): Change[] {
  return [end("/header/snapshots_offset"), set("/header/nb_snapshots", count)];
}

const SLOW = "qemu takes seconds to read so many snapshots";

const count: RuleRow = row("qcow2.snaptable.count-max", {
  base: empty(v2),
  breaks: zeros(65537),
  keeps: zeros(65536),
  leaves: ["qcow2.snap.unique-id", "qcow2.check.region-beyond-eof"],
  live: {
    not: { questions: ["read", "check", "content", "write"], because: SLOW },
  },
});

/** A table of 512 snapshots of 128 KiB, which is 64 MiB, and so many bytes more. */
function longTable(more: number): Change[] {
  const offset = 65536 * 8;
  const stride = 2 ** 17;
  const entries = 512;
  const idSize = 65535;
  const heads: Change[] = Array.from({ length: entries }, (_, i) => {
    const head = new Uint8Array(HEAD + 4);
    const view = new DataView(head.buffer);
    view.setUint16(12, idSize);
    view.setUint16(14, stride - HEAD - idSize + (i === entries - 1 ? more : 0));
    view.setUint32(HEAD, i + 1);
    return { op: "bytes", skip: offset + i * stride, bytes: head };
  });
  return [
    set("/header/snapshots_offset", offset),
    set("/header/nb_snapshots", entries),
    { op: "resize", size: offset + entries * stride },
    ...heads,
  ];
}

const size: RuleRow = row("qcow2.snap.table-size-max", {
  about: "the table is a byte longer than 64 MiB",
  base: empty({ ...v2, clusterBits: 16 }),
  breaks: longTable(1),
  keeps: longTable(0),
  leaves: ["qcow2.snap.id-length", "blk.name.nul", "qcow2.check.refcount-low"],
  live: { not: { questions: ["check"], because: "the next row asks that" } },
});

const checkedSize: RuleRow = {
  ...size,
  rule: "qcow2.check.snap-size",
  live: {
    not: { questions: ["info", "read", "content", "write"], because: "the row before asks that" },
  },
};

const inTable: readonly RuleRow[] = [
  row("qcow2.snap.readable", {
    about: "the last of 13 entries ends behind the end of what can be read",
    base: empty({ ...v2, clusterBits: 9 }),
    breaks: [set("/header/snapshots_offset", END - 512n), set("/header/nb_snapshots", 13)],
    keeps: [set("/header/snapshots_offset", END - 512n), set("/header/nb_snapshots", 12)],
    leaves: ["qcow2.snap.unique-id", "qcow2.check.region-beyond-eof"],
  }),
  field("qcow2.snap.extra-max", "/snapshot[0]/extra_data_size", {
    base: small({ snapshots: [snapshot(1, SIZE, { extraSize: 1024 })] }),
    bad: 1025,
    good: 1024,
  }),
  field("qcow2.snap.extra-min-v3", "/snapshot[0]/extra_data_size", {
    base: one,
    bad: 15,
    good: 16,
  }),
  row("qcow2.snap.unique-id", {
    base: two,
    breaks: [{ op: "duplicate", path: "/snapshot[1]/id", from: "/snapshot[0]/id" }],
  }),
  field("qcow2.snap.id-length", "/snapshot[0]/id_str_size", {
    base: small({ snapshots: [snapshot(1, SIZE, { id: "i".repeat(127) })] }),
    bad: 128,
    good: 127,
  }),
  field("qcow2.snap.id-length", "/snapshot[0]/name_size", {
    base: small({ snapshots: [snapshot(1, SIZE, { name: "n".repeat(255) }), snapshot(2, SIZE)] }),
    bad: 256,
    good: 255,
  }),
  row("qcow2.snap.l1-valid", {
    base: one,
    breaks: [{
      op: "point",
      path: "/snapshot[0]/l1_table_offset",
      at: "/snapshot[0]/l1",
      delta: 1,
    }],
  }),
  field("qcow2.snap.l1-covers-size", "/snapshot[0]/extra/disk_size", {
    base: full,
    bad: COVERAGE + 1,
    good: COVERAGE,
  }),
  field("qcow2.snap.size-differs", "/snapshot[0]/extra/disk_size", {
    base: one,
    bad: SIZE - 512,
    good: SIZE,
  }),
  row("qcow2.snap.with-datafile", {
    base: small({ dataFile: { name: "data", raw: false }, clusters: [data(0)] }),
    breaks: zeros(1),
    keeps: zeros(0),
  }),
];

export const snapshotRows: readonly RuleRow[] = [count, size, checkedSize, ...inTable];
