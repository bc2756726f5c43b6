/** What images of qcow2 list besides their content, by their models. */

import { SECTOR } from "../../../src/bytes/mod.ts";
import type { Json } from "../../../src/format/mod.ts";
import { bitmapBytes } from "../../../src/qcow2/build/mod.ts";
import {
  type BitmapModel,
  geometryOf,
  NO_ICOUNT,
  type Qcow2Model,
  snapshotExtra,
} from "../../../src/qcow2/mod.ts";
import type { Range } from "../../generate/mod.ts";
import type { ExpectedBitmap } from "../kit.ts";

const SECOND = 1e9;

/** The snapshots as `info` prints them. */
export function listedSnapshots({ snapshots, clusterBits }: Qcow2Model): Json[] {
  return snapshots.map(({ id, name, vmState, dateSec, vmClockNsec, extraSize, icount }) => ({
    id,
    name,
    "vm-state-size": vmState.length * 2 ** clusterBits,
    "date-sec": dateSec,
    "date-nsec": 0,
    "vm-clock-sec": Math.floor(vmClockNsec / SECOND),
    "vm-clock-nsec": vmClockNsec % SECOND,
    ...(extraSize < snapshotExtra.size || icount === NO_ICOUNT
      ? {}
      : { icount: Number(BigInt.asIntN(64, icount)) }),
  }));
}

/** The bitmaps, and the ranges of the disk that they mark. */
export function listedBitmaps(model: Qcow2Model): ExpectedBitmap[] {
  return model.bitmaps.map((bitmap) => {
    const { name, granularityBits, inUse, auto } = bitmap;
    return { name, granularity: 2 ** granularityBits, inUse, auto, marks: marksOf(bitmap, model) };
  });
}

function* marksOf(bitmap: BitmapModel, model: Qcow2Model): Generator<Range> {
  const size = sizeOf(model);
  let last: Range | undefined;
  for (const { start, end } of bitsOf(bitmap, model)) {
    if (last !== undefined && start !== last.end) yield last;
    last = { start: start === last?.end ? last.start : start, end: Math.min(end, size) };
  }
  if (last !== undefined) yield last;
}

/** The size of the disk in whole sectors. */
function sizeOf({ size }: Qcow2Model): number {
  return Number(size / BigInt(SECTOR)) * SECTOR;
}

/** The range of each bit or table entry that is set. */
function* bitsOf(bitmap: BitmapModel, model: Qcow2Model): Generator<Range> {
  const geometry = geometryOf(model);
  const unit = 2 ** bitmap.granularityBits;
  const covered = geometry.clusterSize * 8 * unit;
  for (let entry = 0; entry * covered < sizeOf(model); entry++) {
    const from = entry * covered;
    const kind = bitmap.table[entry % bitmap.table.length];
    if (kind === "ones") yield { start: from, end: from + covered };
    if (kind !== "data") continue;
    const bytes = bitmapBytes(bitmap, entry, { model, geometry });
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const isSet = ((bytes[bit >> 3] as number) >> bit % 8 & 1) === 1;
      if (isSet) yield { start: from + bit * unit, end: from + (bit + 1) * unit };
    }
  }
}
