/** Known defects in reading qcow version 1. */

import { set } from "../edit.ts";
import { modelOf } from "../qcow1/models.ts";
import { known, type KnownImage } from "./parts.ts";

const plain = modelOf();

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
];
