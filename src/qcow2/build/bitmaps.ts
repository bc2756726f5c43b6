import { roundUp, type Segment, utf8 } from "../../bytes/mod.ts";
import { patternBytes, type Placed } from "../../format/mod.ts";
import { bitMask, encodeInto } from "../../layout/mod.ts";
import type { DirectoryPlace } from "../encode/extensions.ts";
import type { Geometry } from "../geometry.ts";
import type { BitmapModel, Qcow2Model } from "../model.ts";
import { bitmapHead, bitmapTableEntry, bitmapTypes } from "../structures.ts";
import { dataExtent, type Extent, tableExtent } from "./extent.ts";
import { virtualSizeOf } from "./sizes.ts";
import { bitmapEntries } from "./normalise_bitmaps.ts";
import { bitmapTableEntries, tableSegments } from "./tables.ts";

const ALIGNMENT = 8;
const IN_USE = Number(bitMask(bitmapHead, "flags", "in_use").mask);
const AUTO = Number(bitMask(bitmapHead, "flags", "auto").mask);

/** A bitmap before anything has an offset. */
interface BitmapPlan {
  readonly model: BitmapModel;
  readonly name: Uint8Array;
  /** The offset of its directory entry from the start of the directory, in bytes. */
  readonly at: number;
  readonly table: Extent;
  /** The entries of the table: an extent for each that is data. */
  readonly entries: readonly (Extent | "zeros" | "ones")[];
}

/** The directory and all bitmaps in it. */
export interface BitmapsPlan {
  readonly directory: Extent;
  readonly bitmaps: readonly BitmapPlan[];
  /** Everything that needs an offset. */
  readonly extents: readonly Extent[];
}

/** Plans the bitmaps; `undefined` if there are none. */
export function planBitmaps(model: Qcow2Model, geometry: Geometry): BitmapsPlan | undefined {
  if (model.bitmaps.length === 0) return undefined;
  const virtualSize = virtualSizeOf(model.size);
  const bitmaps: BitmapPlan[] = [];
  let length = 0;
  for (const [i, bitmap] of model.bitmaps.entries()) {
    const path = `/bitmap[${i}]`;
    const count = bitmapEntries(bitmap.granularityBits, virtualSize, geometry);
    const entries = Array.from({ length: count }, (_, j) => {
      const kind = bitmap.table[j % bitmap.table.length] as BitmapModel["table"][number];
      return kind === "data" ? dataExtent(`${path}/data[${j}]`, geometry.clusterSize) : kind;
    });
    const name = utf8(bitmap.name);
    const table = tableExtent(`${path}/table`, bitmapTableEntry, count);
    bitmaps.push({ model: bitmap, name, at: length, table, entries });
    length += roundUp(bitmapHead.size + name.length, ALIGNMENT);
  }
  const directory: Extent = {
    path: "/bitmap_directory",
    length,
    role: "table",
    refs: 1,
    offset: 0,
  };
  const extents = bitmaps.flatMap(({ table, entries }) => [
    ...entries.filter((entry) => typeof entry === "object"),
    table,
  ]);
  return { directory, bitmaps, extents: [...extents, directory] };
}

/** The fields of the bitmaps extension. */
export function directoryPlace(plan: BitmapsPlan | undefined): DirectoryPlace | undefined {
  if (plan === undefined) return undefined;
  const { offset, length } = plan.directory;
  return { offset, length, count: plan.bitmaps.length };
}

/** The bytes of the directory, the tables and the data. All must have their offsets. */
export function writeBitmaps(
  { directory, bitmaps }: BitmapsPlan,
  model: Qcow2Model,
  geometry: Geometry,
): { segments: Segment[]; placed: Placed[] } {
  const target = new Uint8Array(directory.length);
  const segments: Segment[] = [{ offset: directory.offset, bytes: target }];
  const placed: Placed[] = [];
  const role = "table";
  bitmaps.forEach((bitmap, i) => {
    const { at, name, table, entries } = bitmap;
    writeHead(bitmap, target);
    target.set(name, at + bitmapHead.size);
    const offset = directory.offset + at;
    const path = `/bitmap[${i}]`;
    placed.push(
      { path, offset, length: bitmapHead.size, struct: bitmapHead, role },
      { path: `${path}/name`, offset: offset + bitmapHead.size, length: name.length, role },
    );
    const words = entries.map((entry) => typeof entry === "object" ? entry.offset : entry);
    segments.push(...tableSegments(table.offset, bitmapTableEntries(words)));
    entries.forEach((entry, j) => {
      if (typeof entry !== "object") return;
      const bytes = bitmapBytes(bitmap.model, j, { model, geometry });
      segments.push({ offset: entry.offset, bytes });
    });
  });
  return { segments, placed };
}

function writeHead({ model, name, at, table, entries }: BitmapPlan, target: Uint8Array): void {
  encodeInto(bitmapHead, {
    bitmap_table_offset: BigInt(table.offset),
    bitmap_table_size: entries.length,
    flags: (model.inUse ? IN_USE : 0) | (model.auto ? AUTO : 0),
    type: bitmapTypes.dirtyTracking,
    granularity_bits: model.granularityBits,
    name_size: name.length,
    extra_data_size: 0,
  }, { target, at });
}

/** One cluster of a bitmap's bits; those past the end of the disk are zeros. */
export function bitmapBytes(
  bitmap: BitmapModel,
  cluster: number,
  { model, geometry }: { model: Qcow2Model; geometry: Geometry },
): Uint8Array {
  const { clusterSize } = geometry;
  const bits = Math.ceil(virtualSizeOf(model.size) / 2 ** bitmap.granularityBits);
  const left = Math.min(clusterSize * 8, Math.max(0, bits - cluster * clusterSize * 8));
  const noise = patternBytes(
    { kind: "noise", seed: bitmap.seed },
    Math.ceil(left / 8),
    cluster * clusterSize,
  );
  const used = left % 8;
  const last = noise.length - 1;
  if (used !== 0) noise[last] = (noise[last] as number) & (1 << used) - 1;
  return noise;
}
