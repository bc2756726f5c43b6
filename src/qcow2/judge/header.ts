import { SECTOR } from "../../bytes/mod.ts";
import { REQUEST_END_MAX } from "../../format/mod.ts";
import { judgeOf } from "../../layout/mod.ts";
import { has, type Qcow2File } from "../decode.ts";
import { type Geometry, l1Needed } from "../geometry.ts";
import { type Findings, type FoundRule, inHeader, must } from "../findings.ts";
import {
  compressionTypes,
  features,
  header as headerStruct,
  l1Entry,
  limits,
  snapshotHead,
} from "../structures.ts";

/** QEMU counts L1 entries in an `int`. */
const MAX_L1_ENTRIES = 2n ** 31n - 1n;

/** Judges the header by the constraints in its description that name these rules. */
type JudgeRules = (...rules: FoundRule[]) => boolean;

/**
 * Judges the header in the order in which QEMU does (qcow2_do_open).
 *
 * @returns the geometry, or `undefined` if the header does not allow walking the image
 */
export function judgeHeader(file: Qcow2File, findings: Findings): Geometry | undefined {
  const { header, geometry } = file;
  const judge = judgeOf(headerStruct, header, {
    context: contextOf(file),
    place: inHeader,
    findings,
  });
  const sound = judge("qcow2.header.magic") && judge("qcow2.header.version") &&
    judge("qcow2.header.cluster-bits-min") &&
    (judge("qcow2.header.cluster-bits-max") || header.cluster_bits < 64);
  if (!sound) return undefined;
  judge(
    "qcow2.header.length-min",
    "qcow2.header.length-mult8",
    "qcow2.header.length-fits",
    "qcow2.header.unknown-fields",
    "qcow2.header.backing-offset",
  );
  judgeFeatures(file, judge, findings);
  judge("qcow2.header.refcount-order");
  if (geometry === undefined) return undefined;
  judgeTables(file, { geometry, judge }, findings);
  judgeHarmless(file, judge, findings);
  const walkable = geometry.clusterBits <= limits.clusterBits.max &&
    geometry.subclusterSize >= SECTOR &&
    findings.count("qcow2.l1.size-max") === 0 && findings.count("qcow2.l1.offset") === 0 &&
    findings.count("qcow2.header.size-l1-range") === 0 &&
    findings.count("blk.size.total-sectors") === 0;
  return walkable ? geometry : undefined;
}

/** The context for judging the header. A table that is too long is judged as if it were empty. */
function contextOf({ header }: Qcow2File): Record<string, number | boolean> {
  const clusterSize = 2 ** header.cluster_bits;
  const unlessAbove = (max: number, bytes: number): number => bytes <= max ? bytes : 0;
  const snapshots = unlessAbove(limits.snapshots, header.nb_snapshots);
  return {
    "cluster size": clusterSize,
    "in version 3": header.version >= 3,
    "with extended L2 entries": (header.incompatible_features & features.extendedL2) !== 0n,
    "refcount table": unlessAbove(
      limits.refcountTable,
      header.refcount_table_clusters * clusterSize,
    ),
    "snapshot table": snapshots * snapshotHead.size,
    "L1 table": unlessAbove(limits.l1Table, header.l1_size * l1Entry.size),
  };
}

function judgeFeatures(file: Qcow2File, judge: JudgeRules, findings: Findings): void {
  const { header } = file;
  const place = inHeader("incompatible_features");
  const typeBit = (header.incompatible_features & features.compressionType) !== 0n;
  const deflate = header.compression_type === compressionTypes.deflate;
  judge("qcow2.header.compression-known");
  must(!deflate || !typeBit, findings, {
    rule: "qcow2.header.compression-bit-clear",
    place,
    message: () => "The compression type bit is set, but the compression type is deflate",
  });
  must(deflate || typeBit, findings, {
    rule: "qcow2.header.compression-bit-set",
    place,
    message: () =>
      `The compression type bit is clear, but compression_type is ${header.compression_type}`,
  });
  judge("qcow2.header.incompat-unknown");
  must(!has(file, "corrupt"), findings, {
    rule: "qcow2.header.corrupt-rw",
    place,
    message: () => "The corrupt bit is set: the image is not opened for writing",
  });
  judge("qcow2.header.extl2-cluster-min");
}

function judgeTables(
  file: Qcow2File,
  { geometry, judge }: { geometry: Geometry; judge: JudgeRules },
  findings: Findings,
): void {
  const { header } = file;
  judge("qcow2.reftable.present");
  const counted = judge("qcow2.reftable.size-max") && header.refcount_table_clusters > 0;
  if (judge("qcow2.reftable.offset") && counted) judge("qcow2.reftable.readable");
  judge("qcow2.snaptable.count-max", "qcow2.snaptable.offset");
  const sized = judge("qcow2.l1.size-max") && header.l1_size > 0;
  const placed = judge("qcow2.l1.offset");
  judgeSize(file, geometry, findings);
  if (placed && sized) judge("qcow2.l1.readable");
  judge("qcow2.crypt.method-known");
  must(header.size / BigInt(SECTOR) * BigInt(SECTOR) <= REQUEST_END_MAX, findings, {
    rule: "blk.size.total-sectors",
    place: inHeader("size"),
    message: () => `The size is ${header.size} bytes, more than 2^63 - 2^30`,
  });
}

/** Judges the size by the L1 entries that it needs. */
function judgeSize({ header }: Qcow2File, geometry: Geometry, findings: Findings): void {
  const needed = sizeToL1(header.size, geometry);
  const inRange = must(needed <= MAX_L1_ENTRIES, findings, {
    rule: "qcow2.header.size-l1-range",
    place: inHeader("size"),
    message: () =>
      `The size of ${header.size} bytes needs ${needed} L1 entries, more than 2^31 - 1`,
  });
  must(!inRange || BigInt(header.l1_size) >= needed, findings, {
    rule: "qcow2.l1.covers-size",
    place: inHeader("l1_size"),
    message: () => `l1_size is ${header.l1_size}; the size of ${header.size} bytes needs ${needed}`,
  });
}

/**
 * L1 entries that a size needs in QEMU: its 64-bit sum wraps, so that the largest sizes need none
 * and are rejected only for the size itself.
 */
function sizeToL1(size: bigint, geometry: Geometry): bigint {
  const coverage = BigInt(geometry.l2Coverage);
  const wraps = size + coverage - 1n >= 1n << 64n;
  return wraps ? BigInt.asUintN(64, size + coverage - 1n) / coverage : l1Needed(size, geometry);
}

/** Properties that an open ignores although the specification mentions them. */
function judgeHarmless(file: Qcow2File, judge: JudgeRules, findings: Findings): void {
  const { header } = file;
  judge("qcow2.header.autoclear-unknown");
  must(!has(file, "dirty"), findings, {
    rule: "qcow2.header.dirty-repair",
    place: inHeader("incompatible_features"),
    message: () => "The dirty bit is set: refcounts may be stale, and a writable open repairs them",
  });
  judge("qcow2.header.compat-unknown", "qcow2.header.size-512", "qcow2.header.padding-zero");
  const raw = (header.autoclear_features & features.rawExternal) !== 0n;
  must(!raw || header.backing_file_offset === 0n, findings, {
    rule: "qcow2.header.raw-without-backing",
    place: inHeader("autoclear_features"),
    message: () => "The data file is marked as raw, but the image has a backing file",
  });
  must(!raw || has(file, "dataFile"), findings, {
    rule: "qcow2.datafile.raw-needs-file",
    place: inHeader("autoclear_features"),
    message: () => "The data file is marked as raw, but the image has no data file",
  });
}
