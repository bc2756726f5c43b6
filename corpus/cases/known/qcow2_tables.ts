/** Known defects in reading the tables of qcow2. */

import type { GuestCluster } from "../../../src/qcow2/mod.ts";
import { type CaseEdit, flip, point, set } from "../edit.ts";
import { small, snapshot } from "../qcow2/models.ts";
import { filledCluster, known, type KnownImage, packedCluster, qcow2 } from "./parts.ts";

const SIZE = 65536;
const FIRST = "/l2[0]/0/l2_entry";
const L1 = "/l1/0/l1_entry";
const withSnapshot = qcow2({ snapshots: [snapshot(1, SIZE)] });

/** Clusters with the zero flag. */
function zeros(count: number): GuestCluster[] {
  return Array.from({ length: count }, (_, index) => ({ index, kind: "zero" }));
}

const sizes: readonly KnownImage[] = [
  known("qcow2-refcount-table-clusters-huge", {
    shows: "refcount_table_clusters is 2^32 - 1",
    happened: "the size of the table overflowed: a reconstruction of CVE-2014-0144",
    flags: ["overflow", "allocation", "security"],
    edits: [set("/header/refcount_table_clusters", 2 ** 32 - 1)],
  }),
  known("qcow2-refcount-table-offset-huge", {
    shows: "the refcount table starts at 2^64 - 2^16",
    happened: "the end of the table overflowed: a reconstruction of CVE-2014-0144",
    flags: ["overflow", "security"],
    edits: [set("/header/refcount_table_offset", 2n ** 64n - 65536n)],
  }),
  known("qcow2-snapshots-2-to-32", {
    shows: "nb_snapshots is 2^32 - 1",
    happened: "the size of the snapshot table overflowed: a reconstruction of CVE-2014-0144",
    flags: ["overflow", "allocation", "security"],
    edits: [set("/header/nb_snapshots", 2 ** 32 - 1)],
  }),
  known("qcow2-snapshots-offset-unaligned", {
    shows: "the snapshot table starts at an odd offset, 0x1234",
    happened: "QEMU failed in a branch without an error message: a reconstruction of CVE-2014-0146",
    flags: ["crash", "security"],
    base: withSnapshot,
    edits: [set("/header/snapshots_offset", 0x1234)],
  }),
  known("qcow2-snapshot-l1-size-huge", {
    shows: "the L1 table of a snapshot has 2^31 - 1 entries",
    happened: "QEMU wrote behind a buffer: a reconstruction of CVE-2014-0143 and CVE-2014-0145",
    flags: ["overflow", "allocation", "security"],
    base: withSnapshot,
    edits: [set("/snapshot[0]/l1_size", 0x7fffffff)],
  }),
  known("qcow2-snapshot-extra-data-64k", {
    shows: "a snapshot has 64 KiB of extra data, of at most 1024 bytes",
    happened: "a snapshot table made QEMU allocate any amount of memory",
    flags: ["allocation"],
    base: withSnapshot,
    edits: [set("/snapshot[0]/extra_data_size", 65536)],
  }),
  known("qcow2-snapshot-extra-data-unknown", {
    shows: "a snapshot has 40 bytes of extra data after the known fields",
    happened: "a program that writes the table again without the unknown fields loses them",
    flags: ["wrong-data"],
    base: qcow2({ snapshots: [snapshot(1, SIZE, { extraSize: 64 })] }),
  }),
  known("qcow2-l1-size-2-to-32", {
    shows: "l1_size is 2^32 - 1",
    happened: "the size of the table overflowed: a reconstruction of CVE-2014-0144",
    flags: ["overflow", "allocation", "security"],
    edits: [set("/header/l1_size", 2 ** 32 - 1)],
  }),
  known("qcow2-l1-size-zero", {
    shows: "l1_size is 0, although the disk has a size",
    happened: "a reader that does not check the size reads behind the table",
    flags: ["over-read"],
    edits: [set("/header/l1_size", 0)],
  }),
  known("qcow2-l1-offset-unaligned", {
    shows: "the L1 table starts at 0x1234",
    happened: "the offset was not checked: a reconstruction of CVE-2014-0144",
    flags: ["false-acceptance", "security"],
    edits: [set("/header/l1_table_offset", 0x1234)],
  }),
  known("qcow2-l1-of-two-clusters", {
    shows: "the L1 table is two clusters long, and data is mapped by its last entry",
    happened: "four programs read the first cluster of the table only",
    flags: ["wrong-data"],
    base: small({
      clusterBits: 9,
      size: 2n ** 22n,
      clusters: [filledCluster(0), filledCluster(2 ** 13 - 1, 9)],
    }),
  }),
  known("qcow2-l2-tables-4-gib-apart", {
    shows: "an L2 table is 4 GiB behind another one, after the end of the file",
    happened: "a reader kept tables by 32 bits of their offset, and took one for the other",
    flags: ["overflow", "wrong-data"],
    base: small({ clusterBits: 9, size: 65536n, clusters: [filledCluster(0)] }),
    edits: [point("/l1/1/l1_entry", "/l2[0]", 2 ** 32), flip("/l1/1/l1_entry", 63)],
  }),
  known("qcow2-disk-of-2-to-24-clusters", {
    shows: "the disk has more than 2^24 clusters",
    happened: "a hash map of a language exceeded its maximum size",
    flags: ["allocation"],
    base: qcow2({ clusterBits: 14, size: 2n ** 38n + 16384n, clusters: [filledCluster(0)] }),
  }),
  known("qcow2-huge-disk-dirty", {
    shows: "a small file with the dirty bit declares a disk of 1 TiB",
    happened: "a hypervisor rebuilt refcounts for the whole disk and wrote gigabytes",
    flags: ["allocation", "security"],
    base: qcow2({ clusterBits: 16, size: 2n ** 40n, dirty: true }),
  }),
  known("qcow2-shared-l2-tables", {
    shows: "2048 L1 entries share one L2 table",
    happened: "a reader that caches a table for each entry uses a lot of memory",
    flags: ["allocation", "security"],
    base: small({ clusterBits: 9, size: 2n ** 26n, clusters: zeros(64) }),
    edits: sharedTables(2048),
  }),
];

/** All entries of the L1 table are a copy of the first one. */
function sharedTables(count: number): CaseEdit[] {
  return Array.from({ length: count - 1 }, (_, i): CaseEdit => ({
    op: "copy",
    path: `/l1/${i + 1}/l1_entry`,
    from: L1,
  }));
}

const entries: readonly KnownImage[] = [
  known("qcow2-compressed-at-odd-offset", {
    shows: "a compressed cluster starts at an odd byte",
    happened: "a hypervisor took bit 0 of the offset for the zero flag",
    flags: ["wrong-data"],
    base: qcow2({ clusters: [packedCluster(0, 1)] }),
  }),
  known("qcow2-compressed-size-short", {
    shows: "the compressed data is in two sectors, and its entry has a length of one",
    happened: "a reader that does not check the length of the data reads wrong data",
    flags: ["over-read"],
    base: qcow2({ clusters: [packedCluster(0, 500)] }),
    edits: [flip(FIRST, 58)],
  }),
  known("qcow2-compressed-crosses-clusters", {
    shows: "the data of a compressed cluster crosses a boundary of host clusters",
    happened: "a hypervisor counted a reference to the first host cluster only",
    flags: ["wrong-refcount"],
    base: qcow2({ clusterBits: 9, clusters: [packedCluster(0), packedCluster(1, 380)] }),
  }),
  known("qcow2-compressed-longer-than-256-sectors", {
    shows: "the data of a compressed cluster has more than 256 sectors",
    happened: "readers kept 8 bits of the number of sectors, whatever the cluster size",
    flags: ["wrong-data"],
    base: qcow2({
      clusterBits: 18,
      size: 2n ** 19n,
      clusters: [{ ...packedCluster(0), level: 0 } as GuestCluster],
    }),
  }),
  known("qcow2-compressed-at-offset-0", {
    shows: "an entry of a compressed cluster has the offset 0",
    happened: "a reader took it for a hole",
    flags: ["wrong-data"],
    edits: [set(FIRST, 2n ** 62n)],
  }),
  known("qcow2-compressed-last-ends-file", {
    shows: "the file ends with the last byte of the last compressed cluster",
    happened: "a reader that requires whole sectors or clusters fails at the end of the file",
    flags: ["false-rejection"],
    base: qcow2({
      clusters: [filledCluster(0), packedCluster(1)],
      placement: { cutTail: true },
    }),
  }),
  known("qcow2-clusters-of-512-bytes", {
    shows: "the clusters have 512 bytes, and some have data",
    happened: "a reader that supports no clusters below 4 KiB rejects the image",
    flags: ["wrong-data"],
    base: small({
      clusterBits: 9,
      size: 65536n,
      clusters: [0, 1, 63, 64, 127].map((index) => filledCluster(index)),
    }),
  }),
  known("qcow2-zero-clusters-only", {
    shows: "all clusters have the zero flag and no offset",
    happened: "a reader in Go failed with the end of the file",
    flags: ["false-rejection"],
    base: qcow2({ clusters: zeros(16) }),
  }),
  known("qcow2-no-data-clusters", {
    shows: "no cluster is allocated",
    happened: "a library in OCaml failed on an image without data",
    flags: ["crash"],
    base: qcow2({ clusters: [] }),
  }),
  known("qcow2-clusters-out-of-order", {
    shows: "host clusters are not in the order of the disk, with free ones between them",
    happened: "a program that streams an image skipped clusters and wrote corrupt disks",
    flags: ["wrong-data"],
    base: qcow2({
      clusters: [0, 1, 2, 5, 9].map((index) => filledCluster(index)),
      placement: { seed: 3, holes: [1, 4] },
    }),
  }),
  known("qcow2-zero-flag-in-v2", {
    shows: "an entry has the zero flag in an image of version 2, where the bit is reserved",
    happened: "check calls the image clean, and no read of the cluster succeeds",
    flags: ["specification"],
    base: qcow2({ version: 2, headerLength: 72 }),
    edits: [set(FIRST, 1)],
  }),
  known("qcow2-l2-entry-bit-8", {
    shows: "bit 8 of an L2 entry, which is reserved, is set",
    happened: "a mask for the offset kept the bit, and data was read at a wrong offset",
    flags: ["wrong-data"],
    edits: [flip(FIRST, 8)],
  }),
  known("qcow2-l2-entry-offset-huge", {
    shows: "a cluster is at the largest offset that an entry has room for",
    happened: "a hypervisor added the offset to others without a check",
    flags: ["crash"],
    edits: [set(FIRST, 2n ** 63n + 2n ** 56n - 4096n)],
  }),
  known("qcow2-l2-table-offset-huge", {
    shows: "an L2 table is at the largest offset that an entry has room for",
    happened: "a hypervisor added the offset of the table to others without a check",
    flags: ["overflow"],
    edits: [set(L1, 2n ** 63n + 2n ** 56n - 4096n)],
  }),
  known("qcow2-l2-table-short", {
    shows: "the file ends in the middle of an L2 table, before the entry of a cluster",
    happened: "what is behind the end of a file reads as zeros to QEMU, and is an error to others",
    flags: ["truncated"],
    base: qcow2({ clusters: [filledCluster(0)], size: 2n ** 21n }),
    edits: [{ op: "cut", at: "/l2[0]", delta: 2048 }],
  }),
  known("qcow2-l1-entry-copied-only", {
    shows: "an L1 entry has the copied flag and no offset",
    happened: "qemu-img check reads the header as an L2 table",
    flags: ["specification"],
    base: qcow2({ size: 2n ** 22n }),
    edits: [set("/l1/1/l1_entry", 2n ** 63n)],
  }),
  known("qcow2-l2-in-l1", {
    shows: "an L1 entry points to the L1 table",
    happened: "QEMU wrote data over the table, until it checked for overlaps",
    flags: ["wrong-data"],
    edits: [{ op: "point", path: L1, at: "/l1", delta: 0 }, flip(L1, 63)],
  }),
];

const refcounts: readonly KnownImage[] = [
  known("qcow2-refcount-block-at-0", {
    shows: "the only entry of the refcount table is 0, so that no cluster is in use",
    happened: "QEMU allocated the header for new data and failed an assertion",
    flags: ["crash", "wrong-data"],
    edits: [set("/reftable/0/refcount_table_entry", 0)],
  }),
  known("qcow2-refcount-one-bit-overflow", {
    shows: "refcounts have one bit, and a cluster has two references",
    happened: "a program counted beyond the width of a refcount",
    flags: ["wrong-refcount"],
    base: qcow2({ refcountOrder: 0 }),
    edits: [{ op: "copy", path: "/l2[0]/1/l2_entry", from: FIRST }],
  }),
  known("qcow2-refcount-block-unaligned", {
    shows: "a refcount block is at 0x22a00",
    happened: "QEMU discarded a cluster at an offset that is not one of a cluster",
    flags: ["crash"],
    edits: [set("/reftable/0/refcount_table_entry", 0x22a00)],
  }),
];

/** Known defects in reading the tables of qcow2. */
export const qcow2TablesKnown: readonly KnownImage[] = [
  ...sizes,
  ...entries,
  ...refcounts,
];
