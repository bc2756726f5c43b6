import { roundUp, SECTOR } from "../../bytes/mod.ts";
import { patternBytes, type Placed } from "../../format/mod.ts";
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
}

/** Places items in the file after the header, without overlaps, and returns the offset of each. */
export function placeItems(items: readonly Item[], placement: Placement): Placed[] {
  let end = header.size;
  return ordered(items, placement.seed).map((item, index) => {
    const { alignment, skew, gap, ...rest } = item;
    const free = (placement.holes[index] ?? 0) * SECTOR + gap;
    const offset = roundUp(end + free, alignment) + skew;
    end = offset + item.length;
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
