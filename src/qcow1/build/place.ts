import { roundUp, SECTOR } from "../../bytes/mod.ts";
import { AlikeParts, patternBytes, type Placed } from "../../format/mod.ts";
import type { Placement } from "../model.ts";
import { header } from "../structures.ts";

/** An item that needs an offset in the image file. */
export interface Item extends Omit<Placed, "offset"> {
  /**
   * It starts `skew` bytes after a multiple of `alignment`, with at least `gap` bytes before it.
   */
  readonly alignment: number;
  readonly skew: number;
  readonly gap: number;
  /** It ends before this offset. */
  readonly reach: number;
  /** The kind of part, if readers keep parts of this kind in memory. */
  readonly kept?: "table" | "compressed";
}

/**
 * An L1 table that is longer than this, in bytes, comes last and ends after its last used entry.
 */
export const LONG_L1 = 2 ** 20;

/** Offsets of single bytes are exact numbers up to here. */
export const EXACT_MAX = 2 ** 53;

/** Bytes for all parts behind a far hole. */
export const FAR_ROOM = 2 ** 34;

/** Places items in the file after the header, without overlaps, and returns the offset of each. */
export function placeItems(items: readonly Item[], placement: Placement): Placed[] {
  const { seed, holes, far } = placement;
  const ends = { near: header.size, far: far?.offset ?? 0 };
  const order = ordered(items, seed);
  const alike = new AlikeParts(far, order.map(({ kept }) => kept), ["compressed", "table"]);
  return order.map((item, index) => {
    const { alignment, skew, gap, reach, kept, ...rest } = item;
    const side = index >= alike.from && ends.far + FAR_ROOM <= reach ? "far" : "near";
    const free = (holes[index] ?? 0) * SECTOR + gap;
    const offset = (side === "far" ? alike.next(kept, ends.far) : undefined) ??
      roundUp(ends[side] + free, alignment) + skew;
    if (index < alike.from) alike.add(kept, offset);
    ends[side] = offset + item.length;
    return { ...rest, offset };
  });
}

/** The items shuffled by the seed; in the given order for seed 0. */
function ordered(items: readonly Item[], seed: number): Item[] {
  if (seed === 0) return [...items];
  const bytes = patternBytes({ kind: "noise", seed }, items.length * 4);
  const keys = new DataView(bytes.buffer);
  return items.map((item, index) => ({ item, key: keys.getUint32(index * 4) }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
