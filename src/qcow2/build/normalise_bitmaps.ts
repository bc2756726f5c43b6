import { clamp, roundUp } from "../../bytes/mod.ts";
import type { Geometry } from "../geometry.ts";
import type { BitmapModel } from "../model.ts";
import { limits } from "../structures.ts";
import { cleanText, uniqueName } from "./normalise_values.ts";

/** Longer tables would test nothing more, and readers are slow with gigabytes of bits. */
const ENTRIES_MAX = 64;
const BYTES_MAX = 4 << 20;

/** Bitmaps of a disk of `virtualSize` bytes, with distinct names and tables of limited length. */
export function normaliseBitmaps(
  bitmaps: readonly BitmapModel[],
  virtualSize: number,
  geometry: Geometry,
): BitmapModel[] {
  const names = new Set<string>();
  const kept: BitmapModel[] = [];
  for (const bitmap of bitmaps.slice(0, limits.bitmaps)) {
    const granularityBits = fittingGranularity(bitmap, virtualSize, geometry);
    if (granularityBits === undefined || (virtualSize === 0 && !bitmap.inUse)) continue;
    kept.push({
      name: uniqueName(cleanText(bitmap.name, limits.bitmapName), names, limits.bitmapName),
      granularityBits,
      auto: bitmap.auto,
      inUse: bitmap.inUse,
      table: bitmap.table.length === 0 ? ["zeros"] : bitmap.table.slice(0, ENTRIES_MAX),
      seed: bitmap.seed >>> 0,
    });
  }
  return kept;
}

/** The nearest granularity with which the bitmap's table is not too long. */
function fittingGranularity(
  bitmap: BitmapModel,
  virtualSize: number,
  geometry: Geometry,
): number | undefined {
  const { clusterSize } = geometry;
  const entriesMax = Math.max(1, Math.min(ENTRIES_MAX, BYTES_MAX / clusterSize));
  const { min, max } = limits.granularityBits;
  let bits = clamp(bitmap.granularityBits, min, max);
  while (bits < max && bitmapEntries(bits, virtualSize, geometry) > entriesMax) bits++;
  const entries = bitmapEntries(bits, virtualSize, geometry);
  return entries * clusterSize <= limits.bitmap ? bits : undefined;
}

/** Entries of the table of a bitmap: as many as the disk needs, and at least one. */
export function bitmapEntries(
  granularityBits: number,
  virtualSize: number,
  geometry: Geometry,
): number {
  const bits = Math.ceil(virtualSize / 2 ** granularityBits);
  return Math.max(1, roundUp(Math.ceil(bits / 8), geometry.clusterSize) / geometry.clusterSize);
}
