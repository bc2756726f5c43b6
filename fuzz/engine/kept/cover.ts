import type { Feature } from "./features.ts";

/** Something with features that costs something. */
export interface Covering {
  readonly features: readonly Feature[];
  readonly size: number;
}

/**
 * A small subset of some cases that has all of their features: again and again the case with the most
 * features that are still missing, and of several the smallest.
 */
export function coverOf<Item extends Covering>(items: readonly Item[]): Item[] {
  const missing = new Set(items.flatMap(({ features }) => [...features]));
  const chosen: Item[] = [];
  let left = items.toSorted((a, b) => a.size - b.size)
    .map((item) => ({ item, gain: item.features.length }));
  while (missing.size > 0 && left.length > 0) {
    // A gain only falls: what was counted before is a bound of it.
    left.sort((a, b) => b.gain - a.gain);
    let best = left[0];
    for (const candidate of left) {
      if (best !== undefined && best !== candidate && candidate.gain < best.gain) break;
      candidate.gain = gainOf(candidate.item, missing);
      if (best === undefined || isBetter(candidate, best)) best = candidate;
    }
    if (best === undefined || best.gain === 0) break;
    chosen.push(best.item);
    for (const feature of best.item.features) missing.delete(feature);
    const taken = best;
    left = left.filter((candidate) => candidate !== taken);
  }
  return chosen;
}

interface Candidate<Item> {
  readonly item: Item;
  gain: number;
}

function isBetter<Item extends Covering>(a: Candidate<Item>, b: Candidate<Item>): boolean {
  return a.gain > b.gain || (a.gain === b.gain && a.item.size < b.item.size);
}

function gainOf({ features }: Covering, missing: ReadonlySet<Feature>): number {
  let gain = 0;
  for (const feature of new Set(features)) if (missing.has(feature)) gain++;
  return gain;
}
