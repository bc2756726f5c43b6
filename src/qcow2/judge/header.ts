import { offsetOf } from "../../layout/mod.ts";
import { has, type Qcow2File } from "../decode.ts";
import { type Geometry, l1Needed } from "../geometry.ts";
import {
  type Findings,
  hex,
  inHeader,
  must,
  REQUEST_MAX,
  requestable,
  validTable,
} from "../findings.ts";
import {
  features,
  header as headerStruct,
  l1Entry,
  QCOW_MAGIC,
  snapshotHead,
} from "../structures.ts";

/** QEMU's limits; each is a `limit` rule of the catalogue. */
const MAX_CLUSTER_BITS = 21;
const MAX_REFTABLE_BYTES = 8 * 2 ** 20;
const MAX_L1_BYTES = 32 * 2 ** 20;
const MAX_SNAPSHOTS = 65536;
const MAX_L1_ENTRIES = 2n ** 31n - 1n;
const VIRTUAL_SIZE_MAX = 0x7fffffffc0000000n;

/**
 * Judges the header in the order in which QEMU does (qcow2_do_open).
 *
 * @returns the geometry, or `undefined` where the header is not sound enough to walk the image
 */
export function judgeHeader(file: Qcow2File, findings: Findings): Geometry | undefined {
  if (!judgeIdentity(file, findings)) return undefined;
  judgeLength(file, findings);
  judgeFeatures(file, findings);
  const { geometry } = file;
  if (geometry === undefined) {
    judgeRefcountOrder(file, findings);
    return undefined;
  }
  judgeTables(file, geometry, findings);
  judgeHarmless(file, findings);
  const walkable = geometry.clusterBits <= MAX_CLUSTER_BITS && geometry.subclusterSize >= 512 &&
    findings.count("qcow2.l1.size-max") === 0 && findings.count("qcow2.l1.offset") === 0 &&
    findings.count("qcow2.header.size-l1-range") === 0 &&
    findings.count("blk.size.total-sectors") === 0;
  return walkable ? geometry : undefined;
}

function judgeIdentity({ header }: Qcow2File, findings: Findings): boolean {
  return must(header.magic === QCOW_MAGIC, findings, {
    rule: "qcow2.header.magic",
    place: inHeader("magic"),
    message: () => `The magic is ${hex(header.magic)}, not ${hex(QCOW_MAGIC)}`,
  }) && must(header.version === 2 || header.version === 3, findings, {
    rule: "qcow2.header.version",
    place: inHeader("version"),
    message: () => `The version is ${header.version}, neither 2 nor 3`,
  }) && must(header.cluster_bits >= 9, findings, {
    rule: "qcow2.header.cluster-bits-min",
    place: inHeader("cluster_bits"),
    message: () => `cluster_bits is ${header.cluster_bits}, less than 9`,
  }) && (must(header.cluster_bits <= MAX_CLUSTER_BITS, findings, {
    rule: "qcow2.header.cluster-bits-max",
    place: inHeader("cluster_bits"),
    message: () => `cluster_bits is ${header.cluster_bits}, more than QEMU's limit of 21`,
  }) || header.cluster_bits < 64);
}

function judgeLength({ header }: Qcow2File, findings: Findings): void {
  const place = inHeader("header_length");
  const length = header.header_length;
  if (header.version >= 3) {
    must(length >= offsetOf(headerStruct, "compression_type"), findings, {
      rule: "qcow2.header.length-min",
      place,
      message: () => `header_length is ${length}, less than 104`,
    });
    must(length % 8 === 0, findings, {
      rule: "qcow2.header.length-mult8",
      place,
      message: () => `header_length is ${length}, not a multiple of 8`,
    });
  }
  must(BigInt(length) <= 1n << BigInt(header.cluster_bits), findings, {
    rule: "qcow2.header.length-fits",
    place,
    message: () => `header_length is ${length}, more than a cluster of 2^${header.cluster_bits}`,
  });
  must(length <= headerStruct.size, findings, {
    rule: "qcow2.header.unknown-fields",
    place,
    message: () => `header_length is ${length}: the fields from byte 112 on are not known`,
  });
  must(header.backing_file_offset <= 1n << BigInt(header.cluster_bits), findings, {
    rule: "qcow2.header.backing-offset",
    place: inHeader("backing_file_offset"),
    message: () =>
      `backing_file_offset is ${hex(header.backing_file_offset)}, past the first cluster`,
  });
}

function judgeFeatures(file: Qcow2File, findings: Findings): void {
  const { header } = file;
  const typeBit = (header.incompatible_features & features.compressionType) !== 0n;
  const type = header.compression_type;
  must(type <= 1, findings, {
    rule: "qcow2.header.compression-known",
    place: inHeader("compression_type"),
    message: () => `compression_type is ${type}, neither 0 nor 1`,
  });
  must(type !== 0 || !typeBit, findings, {
    rule: "qcow2.header.compression-bit-clear",
    place: inHeader("incompatible_features"),
    message: () => "The compression type bit is set, but the compression type is deflate",
  });
  must(type === 0 || typeBit, findings, {
    rule: "qcow2.header.compression-bit-set",
    place: inHeader("incompatible_features"),
    message: () => `The compression type bit is clear, but compression_type is ${type}`,
  });
  const unknown = header.incompatible_features & features.unknownIncompatible;
  must(unknown === 0n, findings, {
    rule: "qcow2.header.incompat-unknown",
    place: inHeader("incompatible_features"),
    message: () => `Incompatible feature bits ${hex(unknown)} are set that are not known`,
  });
  must(!has(file, "corrupt"), findings, {
    rule: "qcow2.header.corrupt-rw",
    place: inHeader("incompatible_features"),
    message: () => "The corrupt bit is set: the image is not opened for writing",
  });
  const extended = (header.incompatible_features & features.extendedL2) !== 0n;
  must(!extended || header.cluster_bits >= 14, findings, {
    rule: "qcow2.header.extl2-cluster-min",
    place: inHeader("cluster_bits"),
    message: () => `cluster_bits is ${header.cluster_bits}; extended L2 entries need 14`,
  });
}

function judgeRefcountOrder({ header }: Qcow2File, findings: Findings): void {
  must(header.refcount_order <= 6, findings, {
    rule: "qcow2.header.refcount-order",
    place: inHeader("refcount_order"),
    message: () => `refcount_order is ${header.refcount_order}, more than 6`,
  });
}

function judgeTables(file: Qcow2File, geometry: Geometry, findings: Findings): void {
  judgeRefcountOrder(file, findings);
  judgeReftable(file, geometry, findings);
  judgeSnapshotTable(file, geometry, findings);
  judgeL1(file, geometry, findings);
  const { header } = file;
  must(header.crypt_method <= 2, findings, {
    rule: "qcow2.crypt.method-known",
    place: inHeader("crypt_method"),
    message: () => `crypt_method is ${header.crypt_method}, not 0, 1 or 2`,
  });
  const size = header.size / 512n * 512n;
  must(size <= VIRTUAL_SIZE_MAX, findings, {
    rule: "blk.size.total-sectors",
    place: inHeader("size"),
    message: () => `The size is ${header.size} bytes, more than 2^63 - 2^30`,
  });
}

function judgeReftable({ header }: Qcow2File, geometry: Geometry, findings: Findings): void {
  const clusters = header.refcount_table_clusters;
  const bytes = clusters * geometry.clusterSize;
  const offset = header.refcount_table_offset;
  must(clusters !== 0, findings, {
    rule: "qcow2.reftable.present",
    place: inHeader("refcount_table_clusters"),
    message: () => "refcount_table_clusters is 0: there is no refcount table",
  });
  const sized = must(bytes <= MAX_REFTABLE_BYTES, findings, {
    rule: "qcow2.reftable.size-max",
    place: inHeader("refcount_table_clusters"),
    message: () => `The refcount table is ${bytes} bytes long, more than 8 MiB`,
  });
  const valid = must(
    validTable(offset, sized ? BigInt(bytes) : 0n, geometry.clusterSize),
    findings,
    {
      rule: "qcow2.reftable.offset",
      place: inHeader("refcount_table_offset"),
      message: () => `refcount_table_offset is ${hex(offset)}: unaligned or too large`,
    },
  );
  if (!sized || !valid) return;
  must(bytes === 0 || requestable(offset, BigInt(bytes)), findings, {
    rule: "qcow2.reftable.readable",
    place: inHeader("refcount_table_offset"),
    message: () => `refcount_table_offset is ${hex(offset)}: the table ends above 2^63 - 2^30`,
  });
}

function judgeSnapshotTable({ header }: Qcow2File, geometry: Geometry, findings: Findings): void {
  const counted = must(header.nb_snapshots <= MAX_SNAPSHOTS, findings, {
    rule: "qcow2.snaptable.count-max",
    place: inHeader("nb_snapshots"),
    message: () => `nb_snapshots is ${header.nb_snapshots}, more than QEMU's limit of 65536`,
  });
  const size = counted ? BigInt(header.nb_snapshots * snapshotHead.size) : 0n;
  must(validTable(header.snapshots_offset, size, geometry.clusterSize), findings, {
    rule: "qcow2.snaptable.offset",
    place: inHeader("snapshots_offset"),
    message: () => `snapshots_offset is ${hex(header.snapshots_offset)}: unaligned or too large`,
  });
}

function judgeL1({ header }: Qcow2File, geometry: Geometry, findings: Findings): void {
  const bytes = header.l1_size * l1Entry.size;
  const sized = must(bytes <= MAX_L1_BYTES, findings, {
    rule: "qcow2.l1.size-max",
    place: inHeader("l1_size"),
    message: () => `l1_size is ${header.l1_size}: more than QEMU's limit of 4194304`,
  });
  const offset = header.l1_table_offset;
  const valid = must(
    validTable(offset, sized ? BigInt(bytes) : 0n, geometry.clusterSize),
    findings,
    {
      rule: "qcow2.l1.offset",
      place: inHeader("l1_table_offset"),
      message: () => `l1_table_offset is ${hex(offset)}: unaligned or too large`,
    },
  );
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
  if (!sized || !valid) return;
  must(bytes === 0 || bytes <= REQUEST_MAX && requestable(offset, BigInt(bytes)), findings, {
    rule: "qcow2.l1.readable",
    place: inHeader("l1_table_offset"),
    message: () => `l1_table_offset is ${hex(offset)}: the table ends above 2^63 - 2^30`,
  });
}

/**
 * L1 entries that QEMU holds a size to need: its 64-bit sum wraps, so that the largest sizes need none
 * and are refused only for the size itself.
 */
function sizeToL1(size: bigint, geometry: Geometry): bigint {
  const coverage = BigInt(geometry.l2Coverage);
  const wraps = size + coverage - 1n >= 1n << 64n;
  return wraps ? BigInt.asUintN(64, size + coverage - 1n) / coverage : l1Needed(size, geometry);
}

/** What an open passes over, though the specification has a word on it. */
function judgeHarmless(file: Qcow2File, findings: Findings): void {
  const { header } = file;
  const autoclear = header.autoclear_features & features.unknownAutoclear;
  must(autoclear === 0n, findings, {
    rule: "qcow2.header.autoclear-unknown",
    place: inHeader("autoclear_features"),
    message: () => `Autoclear feature bits ${hex(autoclear)} are set that are not known`,
  });
  must(!has(file, "dirty"), findings, {
    rule: "qcow2.header.dirty-repair",
    place: inHeader("incompatible_features"),
    message: () => "The dirty bit is set: refcounts may be stale, and a writable open repairs them",
  });
  const compatible = header.compatible_features & features.unknownCompatible;
  must(compatible === 0n, findings, {
    rule: "qcow2.header.compat-unknown",
    place: inHeader("compatible_features"),
    message: () => `Compatible feature bits ${hex(compatible)} are set that are not known`,
  });
  must(header.size % 512n === 0n, findings, {
    rule: "qcow2.header.size-512",
    place: inHeader("size"),
    message: () => `The size of ${header.size} bytes is not a multiple of 512`,
  });
  must(header.padding.every((byte) => byte === 0), findings, {
    rule: "qcow2.header.padding-zero",
    place: inHeader("padding"),
    message: () => "The padding of the header is not zero",
  });
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
