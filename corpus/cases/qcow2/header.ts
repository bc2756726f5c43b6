/** Cases of the header. */

import { QCOW_MAGIC } from "../../../src/qcow2/mod.ts";
import { type Case, casesOf } from "../case.ts";
import { bytes, flip, set } from "../edit.ts";
import { empty, END, filled, small } from "./models.ts";

const { pair, field } = casesOf(small());

const v2 = { version: 2, headerLength: 72 } as const;
/** Clusters of 512 bytes: the first one has less space, and one L1 entry maps 32 KiB. */
const tiny = { clusterBits: 9, clusters: [], size: 32768n } as const;
const COVERAGE = 32768n;
const CLUSTER = 4096;
const MAX_BITS = 21;
const HEADER_LENGTH = 112;
const L1_MAX = 4194304;
const INCOMPATIBLE = "/header/incompatible_features";
const BITS = { dirty: 0, corrupt: 1, dataFile: 2, compression: 3, extendedL2: 4, unknown: 5 };

const identity: readonly Case[] = [
  field("qcow2.header.magic", "/header/magic", { bad: QCOW_MAGIC - 1, good: QCOW_MAGIC }),
  field("qcow2.header.version", "/header/version", { bad: 4, good: 3 }),
  field("qcow2.header.version", "/header/version", { bad: 1, good: 2, base: small(v2) }),
  field("qcow2.header.cluster-bits-min", "/header/cluster_bits", {
    bad: 8,
    good: 9,
    base: small(tiny),
  }),
  field("qcow2.header.cluster-bits-max", "/header/cluster_bits", {
    bad: MAX_BITS + 1,
    good: MAX_BITS,
    base: empty({ clusterBits: MAX_BITS }),
  }),
];

const lengths: readonly Case[] = [
  field("qcow2.header.length-min", "/header/header_length", {
    bad: 103,
    good: 104,
    base: small({ headerLength: 104 }),
  }),
  field("qcow2.header.length-fits", "/header/header_length", {
    bad: 513,
    good: 512,
    base: small(tiny),
    leaves: ["qcow2.header.unknown-fields", "qcow2.ext.end-required"],
  }),
  field("qcow2.header.length-mult8", "/header/header_length", {
    bad: HEADER_LENGTH + 1,
    good: HEADER_LENGTH,
  }),
  field("qcow2.header.unknown-fields", "/header/header_length", {
    bad: HEADER_LENGTH + 8,
    good: HEADER_LENGTH,
  }),
  field("qcow2.header.backing-offset", "/header/backing_file_offset", {
    bad: CLUSTER + 1,
    good: CLUSTER,
    leaves: ["qcow2.backing.empty"],
  }),
];

const features: readonly Case[] = [
  field("qcow2.header.compression-known", "/header/compression_type", {
    bad: 2,
    good: 1,
    base: small({ compression: "zstd" }),
  }),
  pair("qcow2.header.compression-bit-clear", { breaks: [flip(INCOMPATIBLE, BITS.compression)] }),
  pair("qcow2.header.compression-bit-set", {
    base: small({ compression: "zstd" }),
    breaks: [flip(INCOMPATIBLE, BITS.compression)],
  }),
  pair("qcow2.header.incompat-unknown", {
    base: empty({ clusterBits: 14 }),
    breaks: [flip(INCOMPATIBLE, BITS.unknown)],
    keeps: [flip(INCOMPATIBLE, BITS.extendedL2)],
  }),
  pair("qcow2.header.incompat-unknown", { breaks: [flip(INCOMPATIBLE, 63)] }),
  pair("qcow2.header.corrupt-rw", { breaks: [flip(INCOMPATIBLE, BITS.corrupt)] }),
  pair("qcow2.header.extl2-cluster-min", {
    shows: "clusters with subclusters have 8 KiB, not 16 KiB",
    base: empty({ clusterBits: 13 }),
    breaks: [flip(INCOMPATIBLE, BITS.extendedL2)],
    kept: { base: empty({ clusterBits: 14 }) },
    keeps: [flip(INCOMPATIBLE, BITS.extendedL2)],
  }),
  pair("qcow2.header.autoclear-unknown", { breaks: [flip("/header/autoclear_features", 2)] }),
  pair("qcow2.header.autoclear-unknown", { breaks: [flip("/header/autoclear_features", 63)] }),
  pair("qcow2.header.compat-unknown", {
    breaks: [flip("/header/compatible_features", 1)],
    keeps: [flip("/header/compatible_features", 0)],
  }),
  pair("qcow2.header.dirty-repair", { breaks: [flip(INCOMPATIBLE, BITS.dirty)] }),
  pair("qcow2.header.bitmaps-bit-without-ext", { breaks: [flip("/header/autoclear_features", 0)] }),
  pair("qcow2.header.raw-without-backing", {
    base: small({
      backing: { name: "base", format: "raw" },
      dataFile: { name: "data", raw: false },
    }),
    breaks: [flip("/header/autoclear_features", 1)],
    files: { base: filled(65536) },
  }),
];

/** A refcount table of 8 MiB, and little else. */
const longReftable = empty({ clusterBits: 19, placement: { spareReftable: 15 } });

const tables: readonly Case[] = [
  field("qcow2.header.refcount-order", "/header/refcount_order", {
    bad: 7,
    good: 6,
    base: small({ refcountOrder: 6 }),
  }),
  field("qcow2.reftable.present", "/header/refcount_table_clusters", {
    bad: 0,
    good: 1,
    happened: "QEMU aborted on the first write",
    flags: ["crash"],
  }),
  field("qcow2.reftable.size-max", "/header/refcount_table_clusters", {
    bad: 17,
    good: 16,
    base: longReftable,
  }),
  field("qcow2.reftable.offset", "/header/refcount_table_offset", {
    bad: CLUSTER + 1,
    good: CLUSTER,
  }),
  field("qcow2.reftable.readable", "/header/refcount_table_offset", {
    bad: END,
    good: END - 512n,
    base: empty({ clusterBits: 9 }),
    leaves: [
      "qcow2.check.region-beyond-eof",
      "qcow2.check.refcount-low",
      "qcow2.write.alloc-zero",
    ],
  }),
  field("qcow2.snaptable.offset", "/header/snapshots_offset", { bad: 1, good: 0 }),
  field("qcow2.snaptable.offset", "/header/snapshots_offset", {
    bad: CLUSTER + 512,
    good: CLUSTER,
  }),
  field("qcow2.l1.size-max", "/header/l1_size", {
    bad: L1_MAX + 1,
    good: L1_MAX,
    base: small({ ...tiny, size: BigInt(L1_MAX) * COVERAGE }),
  }),
  field("qcow2.l1.offset", "/header/l1_table_offset", { bad: 1, good: 0, base: empty() }),
  pair("qcow2.l1.offset", { breaks: [flip("/header/l1_table_offset", 0)] }),
  field("qcow2.l1.readable", "/header/l1_table_offset", {
    bad: END,
    good: END - 512n,
    base: small(tiny),
    leaves: ["qcow2.check.region-beyond-eof", "qcow2.check.refcount-high", "blk.io.past-eof"],
  }),
  field("qcow2.l1.covers-size", "/header/size", {
    bad: COVERAGE + 1n,
    good: COVERAGE,
    base: small(tiny),
  }),
  field("qcow2.header.size-l1-range", "/header/size", {
    bad: (2n ** 31n - 1n) * COVERAGE + 1n,
    good: (2n ** 31n - 1n) * COVERAGE,
    base: small(tiny),
    leaves: ["qcow2.l1.covers-size", "qcow2.l1e.beyond-table"],
  }),
  field("qcow2.header.size-512", "/header/size", { bad: 65535, good: 65536 }),
  field("qcow2.header.size-512", "/header/size", {
    bad: 1,
    good: 512,
    base: empty({ size: 512n }),
  }),
  field("blk.size.total-sectors", "/header/size", { bad: 2n ** 64n - 1n, good: 65536 }),
];

const others: readonly Case[] = [
  field("qcow2.crypt.method-known", "/header/crypt_method", {
    bad: 3,
    good: 1,
    leaves: ["qcow2.crypt.aes-key-size", "qcow2.crypt.key-present"],
  }),
  field("qcow2.crypt.key-present", "/header/crypt_method", { bad: 1, good: 0 }),
  field("qcow2.crypt.aes-key-size", "/header/crypt_method", { bad: 1, good: 0 }),
  pair("qcow2.header.padding-zero", {
    shows: "the last byte of the header is 1",
    breaks: [bytes("/header", [1], HEADER_LENGTH - 1)],
  }),
  pair("qcow2.header.padding-zero", { breaks: [set("/header/padding", 2n ** 48n)] }),
];

/** Cases of the header. */
export const headerCases: readonly Case[] = [
  ...identity,
  ...lengths,
  ...features,
  ...tables,
  ...others,
];
