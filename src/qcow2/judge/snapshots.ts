import { LazyList, REQUEST_END_MAX } from "../../format/mod.ts";
import { judgeOf } from "../../layout/mod.ts";
import { FINDINGS_PER_RULE } from "../../rules/mod.ts";
import { has, type Qcow2File } from "../decode.ts";
import { type Geometry, l1Needed } from "../geometry.ts";
import { type Findings, inHeader, lengthToNul, must } from "../findings.ts";
import { decodeSnapshots, type Snapshot, type SnapshotTable } from "../snapshots.ts";
import { header as headerStruct, l1Entry, limits, snapshotHead } from "../structures.ts";

/** Longest snapshot table that QEMU accepts, in bytes. */
export const TABLE_BYTES_MAX: number = 1024 * limits.snapshots;

/** One character for each byte, because a table can contain megabytes of ids. */
const bytesAsText = new TextDecoder("latin1");

const NO_SNAPSHOTS: SnapshotTable = { snapshots: LazyList.of<Snapshot>([]), stored: 0, length: 0 };

/** Decodes the snapshot table within QEMU's limits. */
export function readSnapshotTable({ header, source }: Qcow2File): SnapshotTable {
  const count = header.nb_snapshots;
  if (count === 0 || count > limits.snapshots || header.snapshots_offset >= REQUEST_END_MAX) {
    return NO_SNAPSHOTS;
  }
  return decodeSnapshots(source, {
    offset: Number(header.snapshots_offset),
    count,
    maxExtra: limits.snapshotExtra,
    maxLength: TABLE_BYTES_MAX,
  });
}

/** Judges the snapshot table as a normal open and the specification do. */
export function judgeSnapshots(
  file: Qcow2File,
  image: { geometry: Geometry; table: SnapshotTable },
  findings: Findings,
): void {
  const { header } = file;
  const { table } = image;
  if (header.nb_snapshots > 0) {
    // Entries at such offsets are past the end of any file and have no variable parts.
    const least = header.nb_snapshots * snapshotHead.size;
    judgeOf(headerStruct, header, {
      context: { "snapshot table": least },
      place: inHeader,
      findings,
    })("qcow2.snap.readable");
  }
  must(table.length <= TABLE_BYTES_MAX, findings, {
    rule: "qcow2.snap.table-size-max",
    place: { path: "/snapshots", offset: header.snapshots_offset },
    message: () => `The snapshot table is longer than QEMU's limit of ${TABLE_BYTES_MAX} bytes`,
  });
  must(!has(file, "dataFile") || header.nb_snapshots === 0, findings, {
    rule: "qcow2.snap.with-datafile",
    place: inHeader("nb_snapshots"),
    message: () => `The image has an external data file and ${header.nb_snapshots} snapshots`,
  });
  const ids = new Set<string>();
  let counts = findings.counts();
  for (const [index, snapshot] of table.snapshots.entries()) {
    if (index > table.stored + FINDINGS_PER_RULE) {
      // Those past the end of the file are alike, and findings about the first of them fill the lists.
      findings.repeat(counts, table.snapshots.length - index);
      break;
    }
    counts = findings.counts();
    judgeSnapshot(file, { geometry: image.geometry, snapshot, index }, findings);
    const id = snapshot.id.length === 0 ? "" : bytesAsText.decode(snapshot.id);
    must(!ids.has(id), findings, {
      rule: "qcow2.snap.unique-id",
      place: () => ({ path: `/snapshot[${index}]`, offset: snapshot.offset }),
      message: () => `Snapshot ${index} has the id of an earlier one`,
    });
    ids.add(id);
  }
}

function judgeSnapshot(
  { header }: Qcow2File,
  entry: { geometry: Geometry; snapshot: Snapshot; index: number },
  findings: Findings,
): void {
  const { snapshot, index, geometry } = entry;
  const place = () => ({ path: `/snapshot[${index}]`, offset: snapshot.offset });
  const judge = judgeOf(snapshotHead, snapshot, {
    context: {
      "cluster size": geometry.clusterSize,
      "L1 table": snapshot.l1_size * l1Entry.size,
      "in version 3": header.version >= 3,
    },
    of: `snapshot ${index}`,
    place: (field) => inSnapshot(entry, field),
    findings,
  });
  judge("qcow2.snap.extra-max", "qcow2.snap.extra-min-v3");
  const { listedId, listedName } = limits;
  must(snapshot.id.length <= listedId && snapshot.name.length <= listedName, findings, {
    rule: "qcow2.snap.id-length",
    place,
    message: () => `The id or the name of snapshot ${index} is truncated in listings`,
  });
  const whole = lengthToNul(snapshot.id) === snapshot.id_str_size &&
    lengthToNul(snapshot.name) === snapshot.name_size;
  must(whole, findings, {
    rule: "blk.name.nul",
    place,
    message: () => `The id or the name of snapshot ${index} contains a NUL byte and ends there`,
  });
  const valid = judge("qcow2.snap.l1-valid");
  // If it is absent, QEMU uses the size of the image, rounded down to whole sectors.
  const size = snapshot.diskSize ?? header.size / 512n * 512n;
  must(!valid || BigInt(snapshot.l1_size) >= l1Needed(size, geometry), findings, {
    rule: "qcow2.snap.l1-covers-size",
    place: () => inSnapshot(entry, "l1_size"),
    message: () => `Snapshot ${index} of ${size} bytes has only ${snapshot.l1_size} L1 entries`,
  });
  must(size / 512n === header.size / 512n, findings, {
    rule: "qcow2.snap.size-differs",
    place,
    message: () =>
      `Snapshot ${index} has a disk size of ${size} bytes, and the image of ${header.size}`,
  });
}

function inSnapshot(
  entry: { snapshot: Snapshot; index: number },
  field: keyof typeof snapshotHead.offsets,
): { path: string; offset: number } {
  return {
    path: `/snapshot[${entry.index}]/${field}`,
    offset: entry.snapshot.offset + snapshotHead.offsets[field],
  };
}
