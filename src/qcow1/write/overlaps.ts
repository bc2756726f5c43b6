import type { Interval } from "../intervals.ts";

/** Where intervals overlap, and where any of them is. */
export class Overlaps {
  /** Sorted and disjoint. */
  readonly #shared: Interval[] = [];
  readonly #any: Interval[] = [];

  constructor(intervals: Iterable<Interval>) {
    const [starts, ends] = edges(intervals);
    let depth = 0;
    let [anyFrom, sharedFrom] = [0, 0];
    for (let [start, end] = [0, 0]; end < ends.length;) {
      // At the same place, one ends before another starts: they touch and do not overlap.
      if (start < starts.length && (starts[start] as number) < (ends[end] as number)) {
        const from = starts[start++] as number;
        if (++depth === 1) anyFrom = from;
        else if (depth === 2) sharedFrom = from;
      } else {
        const to = ends[end++] as number;
        if (--depth === 0) add(this.#any, anyFrom, to);
        else if (depth === 1) add(this.#shared, sharedFrom, to);
      }
    }
  }

  /** No two intervals overlap. */
  get isEmpty(): boolean {
    return this.#shared.length === 0;
  }

  /** Whether intervals overlap in a part of this one. */
  has(interval: Interval): boolean {
    return first(this.#shared, interval) !== undefined;
  }

  /** The first part of this interval that any of the intervals has, with its neighbours. */
  firstIn(interval: Interval): Interval | undefined {
    return first(this.#any, interval);
  }
}

/** The starts and the ends of intervals that are not empty, each in order. */
function edges(intervals: Iterable<Interval>): readonly [Float64Array, Float64Array] {
  const starts: number[] = [];
  const ends: number[] = [];
  for (const { from, to } of intervals) {
    if (to <= from) continue;
    // Clusters that follow each other are one interval, as most do.
    if (ends.at(-1) === from) ends[ends.length - 1] = to;
    else {
      starts.push(from);
      ends.push(to);
    }
  }
  return [Float64Array.from(starts).sort(), Float64Array.from(ends).sort()];
}

/** Adds an interval, which may continue the last one. */
function add(intervals: Interval[], from: number, to: number): void {
  const last = intervals.at(-1);
  if (last?.to === from) intervals[intervals.length - 1] = { from: last.from, to };
  else intervals.push({ from, to });
}

/** The first of sorted disjoint intervals that has a part of another one. */
function first(sorted: readonly Interval[], { from, to }: Interval): Interval | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as Interval).to > from) high = middle;
    else low = middle + 1;
  }
  const found = sorted[low];
  return found !== undefined && found.from < to ? found : undefined;
}
