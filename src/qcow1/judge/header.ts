import { type Qcow1File, storedName, within } from "../decode.ts";
import { type Geometry, l1Bytes, l1Needed, SECTOR } from "../geometry.ts";
import { type Findings, hex, inHeader, must, REQUEST_MAX, requestable } from "../findings.ts";
import { header as headerStruct, limits, QCOW_MAGIC } from "../structures.ts";

const CRYPT_AES = 1;
const UINT64_MAX = (1n << 64n) - 1n;
/** QEMU computes the length of the L1 table in bytes as an `int`. */
const L1_COUNT_MAX = (2n ** 31n - 1n) / 8n;
const WRITERS_ALIGNMENT = 8;

/**
 * Judges what an open looks at, in the order in which QEMU does (qcow_open).
 *
 * @param options.hasKey a passphrase is given
 * @returns the geometry, or `undefined` where the header is not sound enough to walk the image
 */
export function judgeOpen(
  file: Qcow1File,
  findings: Findings,
  { hasKey = false }: { readonly hasKey?: boolean } = {},
): Geometry | undefined {
  if (!judgeIdentity(file, findings)) return undefined;
  judgeFields(file, findings);
  judgeEncryption(file, hasKey, findings);
  const { geometry } = file;
  const walkable = geometry !== undefined && judgeL1(file, geometry, findings);
  judgeName(file, findings);
  judgeHarmless(file, findings);
  return walkable ? geometry : undefined;
}

function judgeIdentity({ header, source }: Qcow1File, findings: Findings): boolean {
  must(source.size >= headerStruct.size, findings, {
    rule: "qcow1.header.readable",
    place: { path: "/header", offset: source.size },
    message: () => `The file ends after ${source.size} of ${headerStruct.size} bytes of header`,
  });
  return must(header.magic === QCOW_MAGIC, findings, {
    rule: "qcow1.header.magic",
    place: inHeader("magic"),
    message: () => `The magic is ${hex(header.magic)}, not ${hex(QCOW_MAGIC)}`,
  }) && must(header.version === 1, findings, {
    rule: "qcow1.header.version",
    place: inHeader("version"),
    message: () => `The version is ${header.version}, not 1`,
  });
}

function judgeFields({ header }: Qcow1File, findings: Findings): void {
  must(header.size >= BigInt(limits.size.min), findings, {
    rule: "qcow1.header.size-min",
    place: inHeader("size"),
    message: () => `The size is ${header.size} bytes, less than 2`,
  });
  must(within(header.cluster_bits, limits.clusterBits), findings, {
    rule: "qcow1.header.cluster-bits",
    place: inHeader("cluster_bits"),
    message: () => `cluster_bits is ${header.cluster_bits}, not 9 to 16`,
  });
  must(within(header.l2_bits, limits.l2Bits), findings, {
    rule: "qcow1.header.l2-bits",
    place: inHeader("l2_bits"),
    message: () => `l2_bits is ${header.l2_bits}, not 6 to 13`,
  });
  must(header.crypt_method <= CRYPT_AES, findings, {
    rule: "qcow1.crypt.method",
    place: inHeader("crypt_method"),
    message: () => `crypt_method is ${header.crypt_method}, neither 0 nor 1`,
  });
}

function judgeEncryption({ header }: Qcow1File, hasKey: boolean, findings: Findings): void {
  must(hasKey || header.crypt_method !== CRYPT_AES, findings, {
    rule: "qcow1.crypt.key-present",
    place: inHeader("crypt_method"),
    message: () => "The image is encrypted, and no passphrase is given",
  });
}

/** Gives back whether there is an L1 table that can be walked. */
function judgeL1({ header }: Qcow1File, geometry: Geometry, findings: Findings): boolean {
  const covered = must(header.size <= UINT64_MAX - BigInt(geometry.l2Coverage), findings, {
    rule: "qcow1.header.size-overflow",
    place: inHeader("size"),
    message: () =>
      `The size of ${header.size} bytes and the ${geometry.l2Coverage} bytes that an L1 entry ` +
      "covers add up to 2^64 or more",
  });
  if (!covered) return false;
  const needed = l1Needed(header.size, geometry);
  const counted = must(needed <= L1_COUNT_MAX, findings, {
    rule: "qcow1.l1.count-max",
    place: inHeader("size"),
    message: () =>
      `The size of ${header.size} bytes needs ${needed} L1 entries, more than QEMU takes`,
  });
  if (!counted) return false;
  const bytes = l1Bytes(Number(needed));
  const requested = must(bytes <= REQUEST_MAX, findings, {
    rule: "qcow1.l1.request-max",
    place: inHeader("size"),
    message: () => `The L1 table is ${bytes} bytes long, more than one request reads`,
  });
  const inRange = must(requestable(header.l1_table_offset, bytes), findings, {
    rule: "qcow1.l1.offset-range",
    place: inHeader("l1_table_offset"),
    message: () =>
      `l1_table_offset is ${hex(header.l1_table_offset)}: the table ends above 2^63 - 2^30`,
  });
  must(header.l1_table_offset % BigInt(WRITERS_ALIGNMENT) === 0n, findings, {
    rule: "qcow1.l1.alignment",
    place: inHeader("l1_table_offset"),
    message: () => `l1_table_offset is ${hex(header.l1_table_offset)}, not a multiple of 8`,
  });
  return requested && inRange;
}

function judgeName(file: Qcow1File, findings: Findings): void {
  const { header } = file;
  const offset = header.backing_file_offset;
  if (offset === 0n) return;
  const length = header.backing_file_size;
  const short = must(within(length, limits.nameLength), findings, {
    rule: "qcow1.backing.name-length",
    place: inHeader("backing_file_size"),
    message: () => `The backing file name is ${length} bytes long, more than 1023`,
  });
  if (!short) return;
  const inRange = must(requestable(offset, length), findings, {
    rule: "qcow1.backing.offset-range",
    place: inHeader("backing_file_offset"),
    message: () => `backing_file_offset is ${hex(offset)}: the name ends above 2^63 - 2^30`,
  });
  if (!inRange) return;
  const end = storedName(file)?.indexOf(0) ?? -1;
  const place = { path: "/backing_file_name", offset };
  must(length > 0 && end !== 0, findings, {
    rule: "qcow1.backing.empty",
    place,
    message: () => "The backing file name is empty: there is no backing file",
  });
  must(end <= 0, findings, {
    rule: "blk.name.nul",
    place,
    message: () => "The backing file name holds a NUL byte and ends there",
  });
}

/** What an open passes over. */
function judgeHarmless({ header }: Qcow1File, findings: Findings): void {
  must(header.size % BigInt(SECTOR) === 0n, findings, {
    rule: "qcow1.header.size-512",
    place: inHeader("size"),
    message: () => `The size of ${header.size} bytes is rounded down to a multiple of 512`,
  });
  must(header.mtime === 0, findings, {
    rule: "qcow1.header.padding-mtime",
    place: inHeader("mtime"),
    message: () => `mtime is ${header.mtime}: today's writers leave it 0`,
  });
  must(header.padding === 0, findings, {
    rule: "qcow1.header.padding-mtime",
    place: inHeader("padding"),
    message: () => `The padding is ${hex(header.padding)}, not 0`,
  });
}
