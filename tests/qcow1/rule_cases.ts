/** For every rule that an image can break: an image that breaks it, and the nearest one that keeps it. */

import type { ByteSource } from "../../src/bytes/mod.ts";
import { compressedEntry, compressedExtent, entryOf } from "../../src/qcow1/mod.ts";
import type { RuleId } from "../../src/rules/mod.ts";
import { builtOf, edited, fieldOf, placeOf, sourceOf } from "./images.ts";

/** A pair of images around a rule. */
export interface RuleCase {
  readonly rule: RuleId;
  /** What the two differ in. */
  readonly about: string;
  readonly broken: ByteSource;
  readonly kept: ByteSource;
  /** qemu allocates 2 GiB to open the one that is kept: ask it no more than necessary. */
  readonly costly?: true;
}

/** 2^63 - 2^30, the end of what QEMU's block layer reads. */
const END = 2n ** 63n - 2n ** 30n;
const L2_SIZE = 4096n;
const CLUSTER = 4096n;
/** What one L1 entry covers, in the images of these cases. */
const COVERAGE = 2n ** 21n;

const base = builtOf();
const withName = builtOf({ backing: { name: "base" } });
const cluster = placeOf(base, "/data[0]").offset;
const FIRST = "/l2[0]/0/l2_entry";
const COMPRESSED = "/l2[0]/1/l2_entry";
const LAST = "/l2[0]/2/l2_entry";

/** A pair that differs in one field. */
function field(
  rule: RuleId,
  path: string,
  values: { broken: bigint | number; kept: bigint | number },
  image = base,
): RuleCase {
  return {
    rule,
    about: `${path} is ${values.broken}, not ${values.kept}`,
    broken: edited(image, { [path]: values.broken }),
    kept: edited(image, { [path]: values.kept }),
  };
}

/** The entry of the compressed cluster with another length. */
function withLength(length: (stored: number) => number): bigint {
  const extent = compressedExtent(entryOf(fieldOf(base, COMPRESSED)), 12);
  return compressedEntry({ ...extent, length: length(extent.length) }, 12);
}

const headerCases: RuleCase[] = [
  {
    rule: "qcow1.header.readable",
    about: "the file ends after 47 bytes, not 48",
    broken: edited(base, {}, 47),
    kept: edited(base, {}, 48),
  },
  field("qcow1.header.magic", "/header/magic", { broken: 0x514649fa, kept: 0x514649fb }),
  field("qcow1.header.version", "/header/version", { broken: 0, kept: 1 }),
  field("qcow1.header.version", "/header/version", { broken: 2, kept: 1 }),
  field("qcow1.header.size-min", "/header/size", { broken: 1, kept: 2 }),
  field("qcow1.header.size-min", "/header/size", { broken: 0, kept: 2 }),
  field("qcow1.header.cluster-bits", "/header/cluster_bits", { broken: 8, kept: 9 }),
  field("qcow1.header.cluster-bits", "/header/cluster_bits", { broken: 17, kept: 16 }),
  field("qcow1.header.l2-bits", "/header/l2_bits", { broken: 5, kept: 6 }),
  field("qcow1.header.l2-bits", "/header/l2_bits", { broken: 14, kept: 13 }),
  field("qcow1.crypt.method", "/header/crypt_method", { broken: 2, kept: 1 }),
  field("qcow1.crypt.key-present", "/header/crypt_method", { broken: 1, kept: 0 }),
  field("qcow1.header.size-overflow", "/header/size", {
    broken: 2n ** 64n - COVERAGE,
    kept: 2n ** 64n - COVERAGE - 1n,
  }),
  field("qcow1.l1.count-max", "/header/size", {
    broken: 268435455n * COVERAGE + 1n,
    kept: 268435455n * COVERAGE,
  }),
  {
    ...field("qcow1.l1.request-max", "/header/size", {
      broken: 268435392n * COVERAGE + 1n,
      kept: 268435392n * COVERAGE,
    }),
    costly: true,
  },
  field("qcow1.l1.offset-range", "/header/l1_table_offset", { broken: END, kept: END - 8n }),
  field("qcow1.l1.offset-range", "/header/l1_table_offset", { broken: 2n ** 63n, kept: 2n ** 62n }),
  field("qcow1.header.size-512", "/header/size", { broken: 8703, kept: 8704 }),
  field("qcow1.header.size-512", "/header/size", { broken: 2, kept: 512 }),
  field("qcow1.header.padding-mtime", "/header/mtime", { broken: 1, kept: 0 }),
  field("qcow1.header.padding-mtime", "/header/padding", { broken: 1, kept: 0 }),
];

const nameCases: RuleCase[] = [
  field("qcow1.backing.name-length", "/header/backing_file_size", {
    broken: 1024,
    kept: 1023,
  }, withName),
  field("qcow1.backing.offset-range", "/header/backing_file_offset", {
    broken: END - 3n,
    kept: END - 4n,
  }, withName),
  {
    rule: "qcow1.backing.offset-range",
    about: "an empty name lies behind the end of what can be read, not at it",
    broken: edited(withName, {
      "/header/backing_file_offset": END + 1n,
      "/header/backing_file_size": 0,
    }),
    kept: edited(withName, {
      "/header/backing_file_offset": END,
      "/header/backing_file_size": 0,
    }),
  },
  field("qcow1.backing.empty", "/header/backing_file_size", { broken: 0, kept: 1 }, withName),
  field("qcow1.backing.empty", "/header/backing_file_offset", {
    broken: placeOf(withName, "/backing_file_name").offset + 4,
    kept: placeOf(withName, "/backing_file_name").offset + 3,
  }, withName),
];

const tableCases: RuleCase[] = [
  {
    rule: "qcow1.l1.alignment",
    about: "the L1 table lies a byte behind a multiple of 8",
    broken: sourceOf(builtOf({ placement: { l1Skew: 1 } })),
    kept: sourceOf(base),
  },
  field("qcow1.l1e.range", "/l1/0/l1_entry", { broken: END - L2_SIZE + 1n, kept: END - L2_SIZE }),
  field("qcow1.l1e.range", "/l1/0/l1_entry", { broken: 2n ** 63n, kept: 2n ** 62n }),
  {
    rule: "qcow1.l2.alignment",
    about: "the L2 table lies a byte behind a multiple of the cluster size",
    broken: sourceOf(builtOf({ placement: { l2Skews: [1] } })),
    kept: sourceOf(base),
  },
  field("qcow1.l2e.sector-aligned", FIRST, { broken: cluster + 511, kept: cluster + 512 }),
  field("qcow1.l2e.sector-aligned", FIRST, { broken: cluster + 1, kept: cluster }),
  field("qcow1.l2e.cluster-aligned", FIRST, { broken: cluster + 512, kept: cluster }),
  field("qcow1.l2e.range", FIRST, { broken: END - CLUSTER + 512n, kept: END - CLUSTER }),
  field("qcow1.l2e.range", LAST, { broken: END, kept: END - 512n }),
];

const fill = placeOf(base, "/data[1]");
const whole = builtOf({ size: 8192n });

const compressedCases: RuleCase[] = [
  {
    rule: "qcow1.comp.readable",
    about: "the file ends a byte, which is zero, before the compressed data does",
    broken: edited(whole, {}, fill.offset + fill.length - 1),
    kept: edited(whole, {}, fill.offset + fill.length),
  },
  field("qcow1.comp.inflate", COMPRESSED, {
    broken: withLength((stored) => Math.floor(stored / 2)),
    kept: withLength((stored) => stored),
  }),
  field("qcow1.comp.inflate", COMPRESSED, {
    broken: fieldOf(base, COMPRESSED) + 1n,
    kept: fieldOf(base, COMPRESSED),
  }),
  field("qcow1.comp.length-nonzero", COMPRESSED, {
    broken: withLength(() => 0),
    kept: withLength((stored) => stored),
  }),
];

export const ruleCases: readonly RuleCase[] = [
  ...headerCases,
  ...nameCases,
  ...tableCases,
  ...compressedCases,
];
