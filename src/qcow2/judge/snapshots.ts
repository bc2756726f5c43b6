import { has, type Qcow2File } from "../decode.ts";
import { type Geometry, l1Needed } from "../geometry.ts";
import {
  hex,
  inHeader,
  lengthToNul,
  must,
  REQUEST_END_MAX,
  requestable,
  validTable,
} from "../findings.ts";
import {
  decodeSnapshots,
  LISTED_ID,
  LISTED_NAME,
  type Snapshot,
  type SnapshotTable,
} from "../snapshots.ts";
import { l1Entry, snapshotExtra, snapshotHead } from "../structures.ts";
import type { Findings } from "../findings.ts";

/** QEMU's limits; each is a `limit` rule of the catalogue. */
export const MAX_SNAPSHOTS = 65536;
export const MAX_EXTRA_DATA = 1024;
export const MAX_TABLE_BYTES = 1024 * MAX_SNAPSHOTS;
export const MAX_L1_BYTES = 32 * 2 ** 20;

/** Where version 3 wants the extra data to reach at least: past the disk size. */
export const MIN_EXTRA_V3 = snapshotExtra.offsets.icount;

/** A character for each byte: a table holds megabytes of ids. */
const bytesAsText = new TextDecoder("latin1");

const NO_SNAPSHOTS: SnapshotTable = { snapshots: [], length: 0 };

/** Decodes the snapshot table as far as QEMU's limits go. */
export function readSnapshotTable({ header, source }: Qcow2File): SnapshotTable {
  const count = header.nb_snapshots;
  if (count === 0 || count > MAX_SNAPSHOTS || header.snapshots_offset >= REQUEST_END_MAX) {
    return NO_SNAPSHOTS;
  }
  return decodeSnapshots(source, {
    offset: Number(header.snapshots_offset),
    count,
    maxExtra: MAX_EXTRA_DATA,
    maxLength: MAX_TABLE_BYTES,
  });
}

/** Judges the snapshot table as a normal open does, and what the specification adds to that. */
export function judgeSnapshots(
  file: Qcow2File,
  image: { geometry: Geometry; table: SnapshotTable },
  findings: Findings,
): void {
  const { header } = file;
  const { table } = image;
  // Entries that lie so far back are past the end of any file, and have no variable parts.
  const least = BigInt(header.nb_snapshots * snapshotHead.size);
  must(header.nb_snapshots === 0 || requestable(header.snapshots_offset, least), findings, {
    rule: "qcow2.snap.readable",
    place: inHeader("snapshots_offset"),
    message: () => `The snapshot table lies at ${hex(header.snapshots_offset)}: it cannot be read`,
  });
  must(table.length <= MAX_TABLE_BYTES, findings, {
    rule: "qcow2.snap.table-size-max",
    place: { path: "/snapshots", offset: header.snapshots_offset },
    message: () => `The snapshot table is longer than QEMU's limit of ${MAX_TABLE_BYTES} bytes`,
  });
  must(!has(file, "dataFile") || header.nb_snapshots === 0, findings, {
    rule: "qcow2.snap.with-datafile",
    place: inHeader("nb_snapshots"),
    message: () => `The image has an external data file and ${header.nb_snapshots} snapshots`,
  });
  const ids = new Set<string>();
  for (const [index, snapshot] of table.snapshots.entries()) {
    judgeSnapshot(file, { geometry: image.geometry, snapshot, index }, findings);
    const id = bytesAsText.decode(snapshot.id);
    must(!ids.has(id), findings, {
      rule: "qcow2.snap.unique-id",
      place: { path: `/snapshot[${index}]`, offset: snapshot.offset },
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
  const place = { path: `/snapshot[${index}]`, offset: snapshot.offset };
  const extra = snapshot.extra_data_size;
  must(extra <= MAX_EXTRA_DATA, findings, {
    rule: "qcow2.snap.extra-max",
    place: inSnapshot(entry, "extra_data_size"),
    message: () => `Snapshot ${index} has ${extra} bytes of extra data, more than 1024`,
  });
  must(header.version < 3 || extra >= MIN_EXTRA_V3, findings, {
    rule: "qcow2.snap.extra-min-v3",
    place: inSnapshot(entry, "extra_data_size"),
    message: () => `Snapshot ${index} has ${extra} bytes of extra data; version 3 needs 16`,
  });
  must(snapshot.id.length <= LISTED_ID && snapshot.name.length <= LISTED_NAME, findings, {
    rule: "qcow2.snap.id-length",
    place,
    message: () => `The id or the name of snapshot ${index} is cut in listings`,
  });
  const whole = lengthToNul(snapshot.id) === snapshot.id_str_size &&
    lengthToNul(snapshot.name) === snapshot.name_size;
  must(whole, findings, {
    rule: "blk.name.nul",
    place,
    message: () => `The id or the name of snapshot ${index} holds a NUL byte and ends there`,
  });
  const bytes = snapshot.l1_size * l1Entry.size;
  const valid = must(
    bytes <= MAX_L1_BYTES &&
      validTable(snapshot.l1_table_offset, BigInt(bytes), geometry.clusterSize),
    findings,
    {
      rule: "qcow2.snap.l1-valid",
      place: inSnapshot(entry, "l1_table_offset"),
      message: () =>
        `The L1 table of snapshot ${index}, ${snapshot.l1_size} entries at ` +
        `${hex(snapshot.l1_table_offset)}, is unaligned or too large`,
    },
  );
  // Where it is not said, QEMU takes the size that the image has, in whole sectors.
  const size = snapshot.diskSize ?? header.size / 512n * 512n;
  must(!valid || BigInt(snapshot.l1_size) >= l1Needed(size, geometry), findings, {
    rule: "qcow2.snap.l1-covers-size",
    place: inSnapshot(entry, "l1_size"),
    message: () => `Snapshot ${index} of ${size} bytes has only ${snapshot.l1_size} L1 entries`,
  });
  must(size / 512n === header.size / 512n, findings, {
    rule: "qcow2.snap.size-differs",
    place,
    message: () => `Snapshot ${index} is of ${size} bytes, the image of ${header.size}`,
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
