import { SECTOR } from "../../bytes/mod.ts";
import { type Geometry, l1Needed } from "../geometry.ts";

/** A virtual size as a guest sees it, in whole sectors. A number represents it exactly. */
export function virtualSizeOf(size: bigint): number {
  return Number(size - size % BigInt(SECTOR));
}

/** A virtual size from 0 to `max` bytes: larger ones wrap around. */
export function wrapSize(size: bigint, max: bigint): bigint {
  const positive = size < 0n ? -size : size;
  return positive > max ? positive % (max + 1n) : positive;
}

/** The largest virtual size whose L1 table has at most `entries` entries. */
export function sizeMaxOf(entries: number, geometry: Geometry): bigint {
  return BigInt(entries) * BigInt(geometry.l2Coverage);
}

/** L1 entries that a virtual size needs, for sizes that a table can map. */
export function l1EntriesOf(size: bigint, geometry: Geometry): number {
  return Number(l1Needed(size, geometry));
}
