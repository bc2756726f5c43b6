/** Cases of the snapshot table. */

import { blank, encode } from "../../../src/layout/mod.ts";
import { snapshotHead } from "../../../src/qcow2/mod.ts";
import { type Case, casesOf } from "../case.ts";
import { type CaseEdit, overwrite, point, resize, set } from "../edit.ts";
import { data, empty, emptySnapshots, END, small, snapshot } from "./models.ts";

const { pair, field } = casesOf(small());

const SIZE = 65536;
const v2 = { version: 2, headerLength: 72 } as const;
const one = small({ snapshots: [snapshot(1, SIZE)] });
const two = small({ snapshots: [snapshot(1, SIZE), snapshot(2, SIZE)] });
/** A disk of the size that one L1 entry maps, with clusters of 4 KiB. */
const COVERAGE = 2 ** 21;
const full = small({ size: BigInt(COVERAGE), snapshots: [snapshot(1, COVERAGE)] });

/** The snapshot is of version 2, and has no size of its own. */
const sizeless = small({
  ...v2,
  size: BigInt(COVERAGE + 1),
  snapshots: [snapshot(1, COVERAGE, { extraSize: 0 })],
  placement: { spareL1: 1 },
});

const SLOW = "qemu takes seconds to read so many snapshots";

const count: Case = pair("qcow2.snaptable.count-max", {
  base: empty(v2),
  breaks: emptySnapshots(65537),
  keeps: emptySnapshots(65536),
  leaves: ["qcow2.snap.unique-id", "qcow2.check.region-beyond-eof"],
  live: {
    not: { questions: ["read", "check", "content", "write"], because: SLOW },
  },
});

/** A table of 512 snapshots of 128 KiB, which is 64 MiB, plus so many bytes. */
function longTable(more: number): CaseEdit[] {
  const offset = 65536 * 8;
  const stride = 2 ** 17;
  const entries = 512;
  const idSize = 65535;
  const heads: CaseEdit[] = Array.from({ length: entries }, (_, i) => {
    const nameSize = stride - snapshotHead.size - idSize + (i === entries - 1 ? more : 0);
    const head = { ...blank(snapshotHead), id_str_size: idSize, name_size: nameSize };
    // The ids have the maximum length and differ in their first letters.
    const id = [0, 0, (i + 1) >> 8, (i + 1) & 0xff];
    return overwrite(offset + i * stride, [...encode(snapshotHead, head), ...id]);
  });
  return [
    set("/header/snapshots_offset", offset),
    set("/header/nb_snapshots", entries),
    resize(offset + entries * stride),
    ...heads,
  ];
}

const size: Case = pair("qcow2.snap.table-size-max", {
  shows: "the snapshot table is one byte longer than 64 MiB",
  base: empty({ ...v2, clusterBits: 16 }),
  breaks: longTable(1),
  keeps: longTable(0),
  leaves: ["qcow2.snap.id-length", "blk.name.nul", "qcow2.check.refcount-low"],
  live: { not: { questions: ["check"], because: "the next case does that" } },
});

const checkedSize: Case = {
  ...size,
  rule: "qcow2.check.snap-size",
  live: {
    not: { questions: ["info", "read", "content", "write"], because: "the case before does that" },
  },
};

const inTable: readonly Case[] = [
  pair("qcow2.snap.readable", {
    shows: "the last of 13 entries ends behind the largest offset that QEMU reads",
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
  pair("qcow2.snap.unique-id", {
    shows: "two snapshots have the same id",
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
  pair("qcow2.snap.l1-valid", {
    base: one,
    breaks: [point("/snapshot[0]/l1_table_offset", "/snapshot[0]/l1", 1)],
  }),
  field("qcow2.snap.l1-covers-size", "/snapshot[0]/extra/disk_size", {
    base: full,
    bad: COVERAGE + 1,
    good: COVERAGE,
  }),
  field("qcow2.snap.l1-covers-size", "/header/size", {
    shows: "the disk ends 512 bytes, not one, after what the only L1 entry of a snapshot maps",
    base: sizeless,
    bad: COVERAGE + 512,
    good: COVERAGE + 1,
    leaves: ["qcow2.header.size-512"],
  }),
  field("qcow2.snap.size-differs", "/snapshot[0]/extra/disk_size", {
    base: one,
    bad: SIZE - 512,
    good: SIZE,
  }),
  pair("qcow2.snap.with-datafile", {
    base: small({ dataFile: { name: "data", raw: false }, clusters: [data(0)] }),
    breaks: emptySnapshots(1),
    keeps: emptySnapshots(0),
  }),
];

/** Cases of the snapshot table. */
export const snapshotCases: readonly Case[] = [count, size, checkedSize, ...inTable];
