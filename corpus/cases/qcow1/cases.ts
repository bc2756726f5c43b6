/** Cases of qcow version 1. */

import { compressedEntry } from "../../../src/qcow1/mod.ts";
import { type Case, casesOf } from "../case.ts";
import { add, cutAfter, point, resize, set } from "../edit.ts";
import { modelOf } from "./models.ts";

const { pair, field } = casesOf(modelOf());

/** 2^63 - 2^30, the largest offset that QEMU's block layer reads. */
const END = 2n ** 63n - 2n ** 30n;
const CLUSTER_BITS = 12;
const CLUSTER = 4096n;
const L2_SIZE = 4096n;
/** Bytes of the disk that one L1 entry maps. */
const COVERAGE = 2n ** 21n;

const L1 = "/l1/0/l1_entry";
const FIRST = "/l2[0]/0/l2_entry";
const COMPRESSED = "/l2[0]/1/l2_entry";
const LAST = "/l2[0]/2/l2_entry";
const withName = modelOf({ backing: { name: "base" } });

/** For the largest L1 table that it accepts, qemu allocates 2 GiB. */
const costly = {
  not: {
    questions: ["read", "check", "content", "write"],
    because: "qemu allocates 2 GiB to open the image",
  },
} as const;

const headerCases: readonly Case[] = [
  pair("qcow1.header.readable", {
    shows: "the file ends after 47 bytes, not after 48",
    breaks: [resize(47)],
    keeps: [resize(48)],
  }),
  field("qcow1.header.magic", "/header/magic", { bad: 0x514649fa, good: 0x514649fb }),
  field("qcow1.header.version", "/header/version", { bad: 0, good: 1 }),
  field("qcow1.header.version", "/header/version", { bad: 2, good: 1 }),
  field("qcow1.header.size-min", "/header/size", { bad: 1, good: 2 }),
  field("qcow1.header.size-min", "/header/size", { bad: 0, good: 2 }),
  field("qcow1.header.cluster-bits", "/header/cluster_bits", { bad: 8, good: 9 }),
  field("qcow1.header.cluster-bits", "/header/cluster_bits", { bad: 17, good: 16 }),
  field("qcow1.header.l2-bits", "/header/l2_bits", { bad: 5, good: 6 }),
  field("qcow1.header.l2-bits", "/header/l2_bits", { bad: 14, good: 13 }),
  field("qcow1.crypt.method", "/header/crypt_method", { bad: 2, good: 1 }),
  field("qcow1.crypt.key-present", "/header/crypt_method", { bad: 1, good: 0 }),
  field("qcow1.header.size-overflow", "/header/size", {
    bad: 2n ** 64n - COVERAGE,
    good: 2n ** 64n - COVERAGE - 1n,
  }),
  field("qcow1.l1.count-max", "/header/size", {
    bad: 268435455n * COVERAGE + 1n,
    good: 268435455n * COVERAGE,
  }),
  field("qcow1.l1.request-max", "/header/size", {
    bad: 268435392n * COVERAGE + 1n,
    good: 268435392n * COVERAGE,
    live: costly,
  }),
  field("qcow1.l1.offset-range", "/header/l1_table_offset", { bad: END, good: END - 8n }),
  field("qcow1.l1.offset-range", "/header/l1_table_offset", { bad: 2n ** 63n, good: 2n ** 62n }),
  field("qcow1.header.size-512", "/header/size", { bad: 8703, good: 8704 }),
  field("qcow1.header.size-512", "/header/size", { bad: 2, good: 512 }),
  field("qcow1.header.padding-mtime", "/header/mtime", { bad: 1, good: 0 }),
  field("qcow1.header.padding-mtime", "/header/padding", { bad: 1, good: 0 }),
];

const nameCases: readonly Case[] = [
  field("qcow1.backing.name-length", "/header/backing_file_size", {
    base: withName,
    bad: 1024,
    good: 1023,
  }),
  field("qcow1.backing.offset-range", "/header/backing_file_offset", {
    base: withName,
    bad: END - 3n,
    good: END - 4n,
  }),
  pair("qcow1.backing.offset-range", {
    shows: "an empty name is one byte behind the end of what can be read, not at the end",
    base: withName,
    breaks: [set("/header/backing_file_offset", END + 1n), set("/header/backing_file_size", 0)],
    keeps: [set("/header/backing_file_offset", END), set("/header/backing_file_size", 0)],
  }),
  field("qcow1.backing.empty", "/header/backing_file_size", { base: withName, bad: 0, good: 1 }),
  pair("qcow1.backing.empty", {
    shows: "the name starts at the NUL byte after it, not at its last letter",
    base: withName,
    breaks: [point("/header/backing_file_offset", "/backing_file_name", 4)],
    keeps: [point("/header/backing_file_offset", "/backing_file_name", 3)],
  }),
];

const tableCases: readonly Case[] = [
  pair("qcow1.l1.alignment", {
    shows: "the L1 table starts one byte after a multiple of 8",
    base: modelOf({ placement: { l1Skew: 1 } }),
    kept: { base: modelOf() },
  }),
  field("qcow1.l1e.range", L1, { bad: END - L2_SIZE + 1n, good: END - L2_SIZE }),
  field("qcow1.l1e.range", L1, { bad: 2n ** 63n, good: 2n ** 62n }),
  pair("qcow1.l2.alignment", {
    shows: "the L2 table starts one byte after a multiple of the cluster size",
    base: modelOf({ placement: { l2Skews: [1] } }),
    kept: { base: modelOf() },
  }),
  pair("qcow1.l2e.sector-aligned", {
    shows: "an entry points 511 bytes after the start of a cluster, not 512",
    breaks: [point(FIRST, "/data[0]", 511)],
    keeps: [point(FIRST, "/data[0]", 512)],
  }),
  pair("qcow1.l2e.sector-aligned", {
    shows: "an entry points one byte after the start of a cluster",
    breaks: [point(FIRST, "/data[0]", 1)],
  }),
  pair("qcow1.l2e.cluster-aligned", {
    shows: "an entry points one sector after the start of a cluster",
    breaks: [point(FIRST, "/data[0]", 512)],
  }),
  field("qcow1.l2e.range", FIRST, { bad: END - CLUSTER + 512n, good: END - CLUSTER }),
  field("qcow1.l2e.range", LAST, { bad: END, good: END - 512n }),
];

/** The entry of the compressed cluster, which has 21 stored bytes, with another length. */
function withLength(length: number): bigint {
  return compressedEntry({ offset: 3 * Number(CLUSTER), length }, CLUSTER_BITS);
}

const compressedCases: readonly Case[] = [
  pair("qcow1.comp.readable", {
    shows: "the file ends one byte, a zero, before the end of the compressed data",
    base: modelOf({ size: 8192n }),
    breaks: [cutAfter("/data[1]", -1)],
    keeps: [cutAfter("/data[1]", 0)],
  }),
  pair("qcow1.comp.inflate", {
    shows: "the compressed data is said to be 10 bytes long, not 21",
    breaks: [set(COMPRESSED, withLength(10))],
    keeps: [set(COMPRESSED, withLength(21))],
  }),
  pair("qcow1.comp.inflate", {
    shows: "the compressed data is said to start one byte after its start",
    breaks: [add(COMPRESSED, 1)],
  }),
  pair("qcow1.comp.length-nonzero", {
    shows: "the compressed data is said to be 0 bytes long, not 21",
    breaks: [set(COMPRESSED, withLength(0))],
    keeps: [set(COMPRESSED, withLength(21))],
  }),
];

/** The cases of qcow version 1. */
export const qcow1Cases: readonly Case[] = [
  ...headerCases,
  ...nameCases,
  ...tableCases,
  ...compressedCases,
];
