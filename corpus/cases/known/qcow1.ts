/** Known defects in reading qcow version 1. */

import { set } from "../edit.ts";
import { data, small } from "../qcow2/models.ts";
import { modelOf } from "../qcow1/models.ts";
import { known, type KnownImage } from "./parts.ts";

const plain = modelOf();
const two = modelOf({
  size: 8192n,
  clusters: [
    { index: 0, kind: "data", pattern: { kind: "text", seed: 1 } },
    { index: 1, kind: "data", pattern: { kind: "ramp", seed: 3 } },
  ],
});

/** Known defects in reading qcow version 1. */
export const qcow1Known: readonly KnownImage[] = [
  known("qcow1-l2-bits-63", {
    shows: "l2_bits is 63",
    happened: "QEMU allocated a table of that size: a reconstruction of CVE-2014-0222",
    flags: ["shift", "allocation", "security"],
    base: plain,
    edits: [set("/header/l2_bits", 63)],
  }),
  known("qcow1-cluster-bits-63", {
    shows: "cluster_bits is 63",
    happened: "QEMU allocated a buffer of that size, and crashed",
    flags: ["shift", "security"],
    base: plain,
    edits: [set("/header/cluster_bits", 63)],
  }),
  known("qcow1-size-2-to-63", {
    shows: "the disk has 2^63 bytes",
    happened: "the size of the L1 table overflowed: a reconstruction of CVE-2014-0223",
    flags: ["overflow", "allocation", "security"],
    base: plain,
    edits: [set("/header/size", 2n ** 63n)],
  }),
  known("qcow1-size-2-to-64", {
    shows: "the disk has 2^64 - 1 bytes",
    happened: "rounding up wrapped to an empty L1 table: a reconstruction of CVE-2014-0223",
    flags: ["overflow", "over-read", "security"],
    base: plain,
    edits: [set("/header/size", 2n ** 64n - 1n)],
  }),
  known("qcow1-l2-table-longer-than-cluster", {
    shows: "an L2 table is longer than a cluster, and is not aligned to its own length",
    happened: "a reader required the alignment of a table to its length",
    flags: ["false-rejection"],
    base: modelOf({ clusterBits: 9, l2Bits: 12 }),
  }),
  known("qcow1-backing-name-2000-bytes", {
    shows: "backing_file_size is 2000, of at most 1023",
    happened: "QEMU cut the name to 1023 bytes, and so opened another file",
    flags: ["wrong-file"],
    base: modelOf({ backing: { name: "base" } }),
    edits: [set("/header/backing_file_size", 2000)],
  }),
  known("qcow1-clusters-4-gib-apart", {
    shows: "a cluster is 4 GiB behind the place that follows the cluster before it",
    happened: "a reader compared offsets in 32 bits, and took the two clusters for one run",
    flags: ["overflow"],
    base: two,
    edits: [set("/l2[0]/0/l2_entry", 2 ** 20), set("/l2[0]/1/l2_entry", 2 ** 32 + 2 ** 20 + 4096)],
  }),
  known("qcow1-map-inside-unaligned-cluster", {
    shows: "an overlay covers the start of a cluster that is not at a multiple of its size",
    happened: "a reader added the offset in the cluster for map, where QEMU joins the bits",
    flags: ["specification"],
    base: small({
      clusterBits: 9,
      size: 8192n,
      clusters: [data(0)],
      backing: { name: "base", format: "qcow" },
    }),
    files: { base: modelOf({ ...two, placement: { clusterSkews: [3] } }) },
  }),
];
