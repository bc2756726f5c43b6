/** Cases of L1 and L2 entries for a reader, and of compressed clusters. */

import type { GuestCluster } from "../../../src/qcow2/mod.ts";
import { type Case, casesOf } from "../case.ts";
import { bytes, cut, flip, set } from "../edit.ts";
import {
  COMPRESSED,
  compressed,
  COPIED,
  data,
  extended,
  filled,
  OFF_CLUSTER,
  small,
} from "./models.ts";

const { pair, field } = casesOf(small());

const L1 = "/l1/0/l1_entry";
const FIRST = "/l2[0]/0/l2_entry";
const SECOND = "/l2[0]/1/l2_entry";
const BITMAP = "/l2[0]/0/subcluster_bitmap";
const CLUSTER = 4096;

const packed = small({ clusters: [data(0), compressed(1)] });
const named = small({ dataFile: { name: "data", raw: false }, clusters: [data(0)] });

const l1: readonly Case[] = [
  pair("qcow2.l1e.reserved", { breaks: [flip(L1, 0)] }),
  pair("qcow2.l1e.reserved", { breaks: [flip(L1, 62)] }),
  pair("qcow2.l1e.aligned", { breaks: [flip(L1, OFF_CLUSTER)] }),
  field("qcow2.l1e.beyond-table", "/header/l1_size", { bad: 0, good: 1 }),
];

/** Both images have a cluster with the zero flag, which only version 3 defines. */
const zeroFlag: Case = pair("qcow2.l2e.zero-v2", {
  shows: "an entry has the zero flag, in an image of version 2, not of version 3",
  base: small({ version: 2, headerLength: 72 }),
  breaks: [flip(FIRST, 0)],
  kept: { base: small() },
  keeps: [flip(FIRST, 0)],
});

const l2: readonly Case[] = [
  zeroFlag,
  pair("qcow2.l2e.aligned", { breaks: [flip(FIRST, OFF_CLUSTER)] }),
  pair("qcow2.l2e.reserved", { breaks: [flip(FIRST, 1)] }),
  pair("qcow2.l2e.reserved", { breaks: [flip(FIRST, 61)] }),
  pair("qcow2.l2e.reserved", {
    shows: "with subclusters, the bit is set that is the zero flag without them",
    base: extended(),
    breaks: [flip(FIRST, 0)],
  }),
  pair("qcow2.l2e.copied", { breaks: [flip(FIRST, COPIED)] }),
  pair("qcow2.l2e.beyond-eof", { breaks: [cut("/data[1]", 0)], keeps: [cut("/data[1]", 1)] }),
  pair("qcow2.l2e.beyond-datafile", {
    shows: "the external data file ends before the last of two clusters, not with the only one",
    base: small({ dataFile: { name: "data", raw: false }, clusters: [data(0), data(1)] }),
    kept: { base: named },
    files: { data: filled(CLUSTER) },
  }),
  pair("qcow2.l2e.compressed-datafile", {
    shows: "a cluster is compressed in an image with an external data file",
    base: named,
    breaks: [flip(FIRST, COMPRESSED), flip(FIRST, COPIED)],
  }),
  pair("qcow2.l2e.datafile-identity", {
    base: named,
    breaks: [set(FIRST, (1n << 63n) + BigInt(CLUSTER))],
    keeps: [set(FIRST, 1n << 63n)],
  }),
];

function subclusters(
  index: number,
  masks: { allocated: number; zero: number },
): GuestCluster {
  return {
    index,
    kind: "subclusters",
    reserved: true,
    pattern: { kind: "text", seed: 1 },
    ...masks,
  };
}

/** The last subcluster is zeros, all others are allocated. */
const partly = extended({
  clusters: [subclusters(0, { allocated: 0x7fffffff, zero: 0x80000000 })],
});
const unallocated = extended({ clusters: [data(1)] });

const subclusterRows: readonly Case[] = [
  pair("qcow2.l2e.subcluster-alloc-zero", { base: partly, breaks: [flip(BITMAP, 31)] }),
  pair("qcow2.l2e.subcluster-alloc-unalloc", {
    base: unallocated,
    breaks: [set(BITMAP, 1n)],
    keeps: [set(BITMAP, 1n << 32n)],
  }),
  pair("qcow2.l2e.subcluster-neighbour", {
    shows: "a subcluster of the second cluster is allocated and zero",
    base: extended(),
    breaks: [flip("/l2[0]/1/subcluster_bitmap", 32)],
  }),
  pair("qcow2.comp.bitmap-zero", {
    base: extended({ clusters: [compressed(0)] }),
    breaks: [set(BITMAP, 1)],
    keeps: [set(BITMAP, 0)],
  }),
];

/** Headers of zstd frames with a checksum: of 4096 bytes, and of none. */
const LETTERS = [0x28, 0xb5, 0x2f, 0xfd, 0x64, 0x00, 0x0f];
const NOTHING = [0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x00];
/** Blocks: 4096 times the letter a, the same as the last block, and an empty last one. */
const RUN = [0x02, 0x80, 0x00, 0x61];
const LAST_RUN = [0x03, 0x80, 0x00, 0x61];
const NO_BLOCK = [0x01, 0x00, 0x00];
/** Their checksums, as libzstd writes them: of 4096 letters, and of nothing. */
const CHECKSUM = [0x03, 0x16, 0x2c, 0x89];
const NO_CHECKSUM = [0x99, 0xe9, 0xd8, 0x51];

/** A stream of zstd with a wrong bit in the checksum of a frame. */
function summed(
  frame: string,
  { before, checksum: [first = 0, ...checksum], after = [] }: {
    readonly before: readonly number[];
    readonly checksum: readonly number[];
    readonly after?: readonly number[];
  },
): Case {
  const stream = (bit: number): number[] => [...before, first ^ bit, ...checksum, ...after];
  return pair("qcow2.comp.zstd", {
    shows: `a bit of the checksum of ${frame} is flipped`,
    base: small({ compression: "zstd", clusters: [data(0), compressed(1)] }),
    breaks: [bytes("/compressed[1]", stream(1))],
    keeps: [bytes("/compressed[1]", stream(0))],
  });
}

const compressedRows: readonly Case[] = [
  pair("qcow2.comp.inflate", {
    shows: "the first deflate block has the type 3, which does not exist",
    base: packed,
    breaks: [bytes("/compressed[1]", [7])],
  }),
  pair("qcow2.comp.inflate", {
    shows: "the compressed data of the second of two clusters starts after the end of the file",
    base: small({ clusters: [compressed(0), compressed(1)] }),
    breaks: [set(SECOND, 2n ** 62n + 2n ** 20n)],
  }),
  pair("qcow2.comp.zstd", {
    shows: "a bit of the magic number of the Zstandard frame is flipped",
    base: small({ compression: "zstd", clusters: [data(0), compressed(1)] }),
    breaks: [bytes("/compressed[1]", [0x29])],
  }),
  summed("a zstd frame", { before: [...LETTERS, ...LAST_RUN], checksum: CHECKSUM }),
  summed("a zstd frame whose last block is empty", {
    before: [...LETTERS, ...RUN, ...NO_BLOCK],
    checksum: CHECKSUM,
  }),
  summed("an empty zstd frame before the content", {
    before: [...NOTHING, ...NO_BLOCK],
    checksum: NO_CHECKSUM,
    after: [...LETTERS, ...LAST_RUN, ...CHECKSUM],
  }),
  pair("qcow2.comp.copied", { base: packed, breaks: [flip(SECOND, COPIED)] }),
  pair("qcow2.comp.offset-bits", {
    base: small({ clusterBits: 9, clusters: [compressed(0)] }),
    breaks: [flip(FIRST, 56)],
    keeps: [flip(FIRST, 55)],
    leaves: [
      "qcow2.comp.inflate",
      "qcow2.check.region-beyond-eof",
      "qcow2.check.refcount-high",
    ],
  }),
];

const refblock: Case = pair("qcow2.refblock.aligned", {
  breaks: [flip("/reftable/0/refcount_table_entry", OFF_CLUSTER)],
  live: { warns: { at: "content", says: /Refblock offset .* unaligned/ } },
});

/** Cases of L1 and L2 entries, and of compressed clusters. */
export const accessCases: readonly Case[] = [
  ...l1,
  ...l2,
  ...subclusterRows,
  ...compressedRows,
  refblock,
];
