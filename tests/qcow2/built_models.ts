/** Models written by hand, one for each thing that a qcow2 image can be. All are normal as they are. */
import type { Qcow2Model } from "../../src/qcow2/model.ts";
import {
  bitmap,
  data,
  extended,
  first,
  parts,
  placement,
  plain,
  ramp,
  snapshot,
  text,
  v2,
  zero,
} from "./built_parts.ts";

const sharing = [data(0), text(1), zero(2), zero(3, true), data(70)];
const sharedIndices = sharing.map(({ index }) => index);

/** By what they show. */
export const builtModels: Readonly<Record<string, Qcow2Model>> = {
  "an empty disk": plain,
  "a disk of no bytes": { ...plain, size: 0n },
  "a disk of less than a sector": { ...plain, size: 511n },
  "a disk that ends inside a sector of a cluster": {
    ...plain,
    clusterBits: 12,
    size: 8192n + 513n,
    clusters: [data(0), data(2)],
  },
  "version 2": { ...v2, clusters: [data(3), text(4), data(0)] },
  "version 2 with a snapshot without extra data": {
    ...v2,
    clusters: [data(1)],
    snapshots: [snapshot("1", { extraSize: 0, shared: [1], vmState: [{ kind: "ramp", seed: 3 }] })],
  },
  "version 2 with extra data that ends in a field": {
    ...v2,
    snapshots: [snapshot("1", { extraSize: 13, clusters: [data(2)] })],
  },
  "zero clusters with and without a host cluster": {
    ...plain,
    clusters: [zero(0), zero(1, true), data(2), zero(11, true)],
  },
  "zero clusters over a backing file": {
    ...plain,
    backing: { name: "base", format: "raw" },
    clusters: [zero(1), zero(2, true), data(4), text(5)],
  },
  "a backing file of unknown format": { ...plain, size: 300_000n, backing: { name: "base" } },
  "a backing file name that fills the first cluster": {
    ...plain,
    headerLength: 104,
    backing: { name: `${"./".repeat(199)}bb` },
  },
  "the longest backing file name": {
    ...plain,
    clusterBits: 11,
    backing: { name: `${"./".repeat(511)}b`, format: "raw" },
  },
  "compressed clusters that share sectors": {
    ...plain,
    clusterBits: 12,
    size: 81_920n,
    clusters: [text(0), text(1), text(2), ramp(3), text(4), ramp(5)],
  },
  "compressed clusters that cross host clusters": {
    ...plain,
    clusters: [ramp(0), ramp(1), ramp(2), ramp(3), ramp(4), text(5)],
  },
  "compressed clusters with data between them": {
    ...plain,
    clusters: [ramp(0), data(1), ramp(2), data(3), text(4), data(5), ramp(6)],
  },
  "compressed clusters with gaps": {
    ...plain,
    clusters: [text(0, 1), text(1, 200), text(2, 511), text(3, 440), text(4, 3)],
  },
  "compressed clusters under refcounts of one bit": {
    ...plain,
    refcountOrder: 0,
    clusters: [text(0), text(1), ramp(2), ramp(3), text(4)],
  },
  "compressed clusters under refcounts of two bits": {
    ...plain,
    refcountOrder: 1,
    clusters: first(8).map(({ index }) => text(index)),
  },
  "zstd": {
    ...plain,
    clusterBits: 16,
    size: 655_360n,
    compression: "zstd",
    clusters: [text(0), ramp(1), text(2), data(3), text(9)],
  },
  "subclusters of every kind": {
    ...extended,
    clusters: [
      parts(0, { allocated: 0x80000001, reserved: true }),
      parts(1, { allocated: 0x0000ffff, zero: 0xff000000, reserved: true }),
      parts(2, { zero: 0xaaaaaaaa }),
      parts(3, { zero: 0x55555555, reserved: true }),
      parts(4, { reserved: true }),
      parts(5, {}),
      data(6),
      zero(7),
      zero(8, true),
      text(9),
    ],
  },
  "subclusters over a backing file, at the end of the disk": {
    ...extended,
    size: 16_384n + 3_584n,
    backing: { name: "base", format: "raw" },
    clusters: [parts(1, { allocated: 0x5, zero: 0xa, reserved: true })],
  },
  "refcounts of 1 bit": { ...plain, refcountOrder: 0, clusters: first(5) },
  "refcounts of 4 bits": { ...plain, refcountOrder: 2, clusters: first(5) },
  "refcounts of 64 bits, which take many blocks": {
    ...plain,
    refcountOrder: 6,
    size: 512n * 400n,
    clusters: first(300),
  },
  "refcounts of 32 bits over several clusters of refcount table": {
    ...plain,
    refcountOrder: 5,
    placement: { ...placement, holes: [0, 4096, 4096, 4096] },
    clusters: first(3),
  },
  "clusters in several L2 tables, not in order": {
    ...plain,
    size: 512n * 64n * 5n,
    clusters: [data(319), data(64), data(0), data(63), zero(128)],
  },
  "a snapshot that shares everything": {
    ...plain,
    size: 65_536n,
    clusters: sharing,
    snapshots: [snapshot("1", { size: 65_536, shared: sharedIndices })],
  },
  "a snapshot with tables of its own for what it shares": {
    ...plain,
    size: 65_536n,
    clusters: sharing,
    snapshots: [snapshot("1", { size: 65_536, shared: sharedIndices })],
    placement: { ...placement, seed: 1 },
  },
  "snapshots that differ from the disk": {
    ...plain,
    clusters: [data(0), data(1), text(2)],
    snapshots: [
      snapshot("1", { clusters: [data(1, 99), text(5)], shared: [0] }),
      snapshot("2", { clusters: [zero(0)], shared: [1, 2], extraSize: 1024, icount: 77n }),
      snapshot("a, b=c", { name: "ünï", extraSize: 16 }),
    ],
  },
  "snapshots of other sizes": {
    ...plain,
    clusters: [data(0), data(11)],
    snapshots: [
      snapshot("small", { size: 512, shared: [0] }),
      snapshot("large", { size: 1 << 20, clusters: [data(2000)], shared: [11] }),
      snapshot("none", { size: 0 }),
    ],
  },
  "VM state, which shows in a disk that has grown": {
    ...plain,
    size: 65_536n,
    clusters: [data(0)],
    snapshots: [
      snapshot("1", {
        size: 512,
        shared: [0],
        vmState: [{ kind: "noise", seed: 1 }, { kind: "zero", seed: 0 }, { kind: "text", seed: 0 }],
      }),
    ],
  },
  "two layers at most under refcounts of two bits": {
    ...plain,
    refcountOrder: 1,
    clusters: [data(0), text(1)],
    snapshots: [snapshot("1", { shared: [0, 1] }), snapshot("2", { shared: [0, 1] })],
  },
  "bitmaps": {
    ...plain,
    size: 3_000_000n,
    bitmaps: [
      bitmap("noise", { auto: true }),
      bitmap("zeros", { granularityBits: 16, table: ["zeros"] }),
      bitmap("ones", { granularityBits: 31, table: ["ones"] }),
      bitmap("in use", { inUse: true, granularityBits: 10 }),
    ],
  },
  "bitmaps whose tables have many entries": {
    ...plain,
    size: 64n << 20n,
    bitmaps: [bitmap("a", { table: ["data", "zeros", "ones"] }), bitmap("n".repeat(1023))],
  },
  "a bitmap of a disk of no bytes": { ...plain, size: 0n, bitmaps: [bitmap("a", { inUse: true })] },
  "an external data file": {
    ...plain,
    dataFile: { name: "data", raw: false },
    clusters: [data(0), zero(1), zero(2, true), data(11)],
  },
  "a raw data file": {
    ...extended,
    dataFile: { name: "data", raw: true },
    clusters: [
      data(0),
      parts(3, { allocated: 0x0ff0, zero: 0xf, reserved: true }),
      { index: 5, kind: "zero-allocated", pattern: { kind: "zero", seed: 0 } },
    ],
  },
  "a data file under a backing file": {
    ...extended,
    backing: { name: "base", format: "raw" },
    dataFile: { name: "data", raw: false },
    clusters: [parts(0, { reserved: true }), parts(1, { allocated: 2, zero: 1, reserved: true })],
  },
  "all flags, unknown features and extensions": {
    ...plain,
    clusterBits: 12,
    size: 49_152n,
    headerLength: 160,
    dirty: true,
    corrupt: true,
    lazyRefcounts: true,
    unknownCompatible: 1n << 63n | 2n,
    unknownAutoclear: 1n << 40n,
    featureTable: true,
    unknownExtensions: [{ type: 1, length: 0, seed: 0 }, { type: 0xfffffff0, length: 13, seed: 1 }],
    clusters: [data(1)],
  },
  "a feature table that fills the first cluster": { ...plain, featureTable: true },
  "a header of 104 bytes": { ...plain, headerLength: 104, clusters: [data(0)] },
  "everything in another order": {
    ...plain,
    clusterBits: 10,
    size: 300_000n,
    featureTable: true,
    backing: { name: "base", format: "raw" },
    unknownExtensions: [{ type: 9, length: 30, seed: 4 }],
    clusters: [...first(5), text(6), text(7), ramp(8), zero(250), text(260)],
    snapshots: [snapshot("1", { size: 300_000 - 300_000 % 512, shared: [0, 6, 7] })],
    bitmaps: [bitmap("a", { table: ["data", "ones"] })],
    placement: { ...placement, seed: 4242, holes: [3, 0, 1], leaks: 2, cutTail: true },
  },
  "holes, leaks and spare tables": {
    ...plain,
    clusters: [data(0), text(1), data(2)],
    placement: {
      ...placement,
      holes: [1, 0, 0, 2, 300],
      leaks: 3,
      spareL1: 200,
      spareReftable: 4,
    },
  },
  "a file that ends inside its last table": {
    ...plain,
    clusters: [text(0)],
    placement: { ...placement, cutTail: true },
  },
  "clusters of 2 MiB": {
    ...plain,
    clusterBits: 21,
    size: (5n << 21n) + 512n,
    clusters: [data(5), text(1), ramp(0), zero(3, true)],
  },
  "a disk of 2^56 bytes": {
    ...plain,
    clusterBits: 21,
    size: 2n ** 56n,
    clusters: [
      { index: 2 ** 35 - 1, kind: "data", pattern: { kind: "text", seed: 1 } },
      zero(2 ** 34),
    ],
    bitmaps: [bitmap("a", { granularityBits: 31, table: ["zeros", "ones"] })],
  },
};

/** Needs an L1 table of 32 MiB, the largest that QEMU takes. */
export const hugeModel: Qcow2Model = {
  ...plain,
  clusterBits: 21,
  size: 2n ** 61n,
  clusters: [data(2 ** 40 - 1), text(2 ** 39)],
};
