import { REQUEST_MAX } from "../../format/mod.ts";
import { judgeOf } from "../../layout/mod.ts";
import { type Header, type Qcow1File, storedName } from "../decode.ts";
import { type Geometry, l1Bytes, l1Needed } from "../geometry.ts";
import { type Findings, type FoundRule, inHeader, must } from "../findings.ts";
import { cryptMethods, header as headerStruct } from "../structures.ts";

const UINT64_MAX = (1n << 64n) - 1n;
/** QEMU computes the length of the L1 table in bytes as an `int`. */
const L1_COUNT_MAX = (2n ** 31n - 1n) / 8n;

/**
 * Judges everything that is checked on open, in QEMU's order (qcow_open).
 *
 * @param options.hasKey a passphrase is given
 * @returns the geometry, or `undefined` if the header is too damaged to walk the image
 */
export function judgeOpen(
  file: Qcow1File,
  findings: Findings,
  { hasKey = false }: { readonly hasKey?: boolean } = {},
): Geometry | undefined {
  const { header, source, geometry } = file;
  must(source.size >= headerStruct.size, findings, {
    rule: "qcow1.header.readable",
    place: { path: "/header", offset: source.size },
    message: () => `The file ends after ${source.size} of ${headerStruct.size} bytes of header`,
  });
  const judge = headerJudge(header, findings);
  if (!judge("qcow1.header.magic") || !judge("qcow1.header.version")) return undefined;
  judge(
    "qcow1.header.size-min",
    "qcow1.header.cluster-bits",
    "qcow1.header.l2-bits",
    "qcow1.crypt.method",
  );
  if (!hasKey && header.crypt_method === cryptMethods.aes) {
    const message = "The image is encrypted, and no passphrase is given";
    findings.addLast("qcow1.crypt.key-present", inHeader("crypt_method"), message);
  }
  const walkable = geometry !== undefined && judgeL1(header, geometry, findings);
  judgeName(file, findings);
  // Ignored on open.
  judge("qcow1.header.size-512", "qcow1.header.padding-mtime");
  return walkable ? geometry : undefined;
}

/** Judges fields of the header by the constraints in its description. */
function headerJudge(
  header: Header,
  findings: Findings,
  regions: Readonly<Record<string, number>> = {},
): (...rules: FoundRule[]) => boolean {
  return judgeOf(headerStruct, header, {
    context: regions,
    place: inHeader,
    findings,
  });
}

/** Returns whether there is an L1 table that can be walked. */
function judgeL1(header: Header, geometry: Geometry, findings: Findings): boolean {
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
      `The size of ${header.size} bytes needs ${needed} L1 entries, more than QEMU accepts`,
  });
  if (!counted) return false;
  const bytes = l1Bytes(Number(needed));
  const requested = must(bytes <= REQUEST_MAX, findings, {
    rule: "qcow1.l1.request-max",
    place: inHeader("size"),
    message: () => `The L1 table is ${bytes} bytes long, more than QEMU can read in one request`,
  });
  const judge = headerJudge(header, findings, { "L1 table": bytes });
  const inRange = judge("qcow1.l1.offset-range");
  judge("qcow1.l1.alignment");
  return requested && inRange;
}

function judgeName(file: Qcow1File, findings: Findings): void {
  const { header } = file;
  const offset = header.backing_file_offset;
  if (offset === 0n) return;
  const length = header.backing_file_size;
  const judge = headerJudge(header, findings, { "backing file name": length });
  if (!judge("qcow1.backing.name-length") || !judge("qcow1.backing.offset-range")) return;
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
    message: () => "The backing file name contains a NUL byte and ends there",
  });
}
