import { roundUp, type Segment, utf8 } from "../../bytes/mod.ts";
import { patternBytes, type Placed } from "../../format/mod.ts";
import { encode, encodeInto } from "../../layout/mod.ts";
import type { Geometry } from "../geometry.ts";
import type { Qcow2Model, SnapshotModel } from "../model.ts";
import { snapshotExtra, snapshotHead } from "../structures.ts";
import type { Extent } from "./extent.ts";
import type { ViewPlan } from "./plan.ts";

const ALIGNMENT = 8;
const U32_MAX = 0xffffffff;

/** A snapshot and its variable parts. */
interface EntryPlan {
  readonly model: SnapshotModel;
  /** Its offset from the start of the table, in bytes. */
  readonly at: number;
  readonly id: Uint8Array;
  readonly name: Uint8Array;
}

/** The snapshot table before anything has an offset. */
export interface SnapshotTablePlan {
  readonly extent: Extent;
  readonly entries: readonly EntryPlan[];
}

/** Plans the table; `undefined` if there are no snapshots. */
export function planSnapshotTable(model: Qcow2Model): SnapshotTablePlan | undefined {
  if (model.snapshots.length === 0) return undefined;
  const entries: EntryPlan[] = [];
  let length = 0;
  for (const snapshot of model.snapshots) {
    const entry = {
      model: snapshot,
      at: roundUp(length, ALIGNMENT),
      id: utf8(snapshot.id),
      name: utf8(snapshot.name),
    };
    entries.push(entry);
    length = entry.at + snapshotHead.size + snapshot.extraSize + entry.id.length +
      entry.name.length;
  }
  return { extent: { path: "/snapshots", length, role: "table", refs: 1, offset: 0 }, entries };
}

/** The bytes of the table. The L1 tables must have their offsets. */
export function writeSnapshotTable(
  { extent, entries }: SnapshotTablePlan,
  views: readonly ViewPlan[],
  geometry: Geometry,
): { segment: Segment; placed: Placed[] } {
  const target = new Uint8Array(extent.length);
  const placed: Placed[] = [];
  entries.forEach((entry, i) => {
    const vmStateSize = entry.model.vmState.length * geometry.clusterSize;
    encodeInto(snapshotHead, headOf(entry, views[i] as ViewPlan, vmStateSize), {
      target,
      at: entry.at,
    });
    const extra = extraOf(entry.model, vmStateSize);
    target.set(extra, entry.at + snapshotHead.size);
    const idAt = entry.at + snapshotHead.size + extra.length;
    target.set(entry.id, idAt);
    target.set(entry.name, idAt + entry.id.length);
    placed.push(...entryPlaced(entry, `/snapshot[${i}]`, extent.offset));
  });
  return { segment: { offset: extent.offset, bytes: target }, placed };
}

function headOf(
  { model, id, name }: EntryPlan,
  { l1, l1Entries }: ViewPlan,
  vmStateSize: number,
): Parameters<typeof encode<typeof snapshotHead>>[1] {
  return {
    l1_table_offset: BigInt(l1?.offset ?? 0),
    l1_size: l1Entries,
    id_str_size: id.length,
    name_size: name.length,
    date_sec: model.dateSec,
    date_nsec: 0,
    vm_clock_nsec: BigInt(model.vmClockNsec),
    vm_state_size: vmStateSize > U32_MAX ? 0 : vmStateSize,
    extra_data_size: model.extraSize,
  };
}

/** The extra data: as many of the defined fields as fit, and then bytes without a meaning. */
function extraOf(model: SnapshotModel, vmStateSize: number): Uint8Array {
  const extra = patternBytes(
    { kind: "ramp", seed: 1 },
    Math.max(model.extraSize, snapshotExtra.size),
  );
  encodeInto(snapshotExtra, {
    vm_state_size_large: BigInt(vmStateSize),
    disk_size: BigInt(model.size),
    icount: model.icount,
  }, { target: extra, at: 0 });
  return extra.subarray(0, model.extraSize);
}

/**
 * The fields of an entry that edits can name. A field of the extra data past `length` does not
 * exist.
 */
function entryPlaced({ model, at, id, name }: EntryPlan, path: string, table: number): Placed[] {
  const offset = table + at;
  const idAt = offset + snapshotHead.size + model.extraSize;
  const role = "table";
  const all: Placed[] = [
    { path, offset, length: snapshotHead.size, struct: snapshotHead, role },
    {
      path: `${path}/extra`,
      offset: offset + snapshotHead.size,
      length: model.extraSize,
      struct: snapshotExtra,
      role,
    },
    { path: `${path}/id`, offset: idAt, length: id.length, role },
    { path: `${path}/name`, offset: idAt + id.length, length: name.length, role },
  ];
  return all.filter(({ length }) => length > 0);
}
