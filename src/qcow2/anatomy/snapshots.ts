import {
  type AnatomyCollector,
  bytesRows,
  imageText,
  type Part,
  structRows,
  textRows,
} from "../../format/mod.ts";
import type { Qcow2File } from "../decode.ts";
import type { Snapshot, SnapshotTable } from "../snapshots.ts";
import { snapshotExtra, snapshotHead } from "../structures.ts";
import type { GuestTables } from "./guest.ts";

/** Maximum number of snapshots that are inspected. */
const SNAPSHOTS_MAX = 1024;

/** The snapshot table, and the tables of the snapshots. */
export function snapshotParts(
  file: Qcow2File,
  { table, guest }: { table: SnapshotTable; guest: GuestTables },
  collector: AnatomyCollector,
): void {
  if (table.snapshots.length === 0) return;
  const offset = Number(file.header.snapshots_offset);
  collector.claim({ path: "/snapshots", offset, length: table.length, kind: "table" });
  let unlisted = 0;
  for (const [index, snapshot] of table.snapshots.take(SNAPSHOTS_MAX).entries()) {
    const part = entryPart(file, { snapshot, index });
    const { marks, tables } = collector.options;
    if (index < tables || marks.within(part.offset, part.length)) collector.part(part);
    else unlisted++;
    guest.add({
      path: `/snapshot[${index}]/`,
      title: `L1 table of ${nameOf(snapshot, index)}`,
      offset: snapshot.l1_table_offset,
      entries: snapshot.l1_size,
    });
  }
  if (unlisted > 0) collector.gap(`${unlisted} more snapshots are not listed`);
  const left = table.snapshots.length - SNAPSHOTS_MAX;
  if (left > 0) collector.unknown(`${left} more snapshots were not inspected`);
}

function nameOf(snapshot: Snapshot, index: number): string {
  return `snapshot ${index}, ${JSON.stringify(imageText(snapshot.name))}`;
}

function entryPart(
  { source }: Qcow2File,
  { snapshot, index }: { snapshot: Snapshot; index: number },
): Omit<Part, "omitted"> {
  const { offset, extra_data_size, id_str_size, name_size } = snapshot;
  const path = `/snapshot[${index}]`;
  const extraAt = offset + snapshotHead.size;
  const idAt = extraAt + extra_data_size;
  const nameAt = idAt + id_str_size;
  // A field of the extra data is present only if it is complete.
  const known = structRows(snapshotExtra, source, { offset: extraAt, path: `${path}/extra` })
    .filter((row) => row.offset + row.length <= idAt);
  const end = extraAt + known.reduce((sum, row) => sum + row.length, 0);
  const rows = [
    ...structRows(snapshotHead, source, { offset, path }),
    ...known,
    ...bytesRows(
      source,
      { path: `${path}/extra/unknown`, offset: end, length: idAt - end },
      "Unknown extra data.",
    ),
    ...textRows(source, { path: `${path}/id`, offset: idAt, length: id_str_size }, "Id."),
    ...textRows(source, { path: `${path}/name`, offset: nameAt, length: name_size }, "Name."),
  ];
  const title = nameOf(snapshot, index);
  return { path, title, offset, length: nameAt + name_size - offset, rows };
}
