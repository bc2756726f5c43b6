/** The integers of `[from, to)`. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** A set of integers, stored as intervals. */
export class IntervalSet {
  /** Sorted and disjoint. */
  readonly #intervals: Interval[] = [];

  /** Adds an interval. Returns the parts of it that were not in the set. */
  add(added: Interval): Interval[] {
    if (added.from >= added.to) return [];
    const first = this.#firstEndingFrom(added.from);
    const fresh: Interval[] = [];
    let { from, to } = added;
    let at = added.from;
    let count = 0;
    for (let i = first; i < this.#intervals.length; i++, count++) {
      const known = this.#intervals[i] as Interval;
      if (known.from > added.to) break;
      if (known.from > at) fresh.push({ from: at, to: known.from });
      at = Math.max(at, known.to);
      from = Math.min(from, known.from);
      to = Math.max(to, known.to);
    }
    if (at < added.to) fresh.push({ from: at, to: added.to });
    this.#intervals.splice(first, count, { from, to });
    return fresh;
  }

  /** The first interval that ends at or after `number`. */
  #firstEndingFrom(number: number): number {
    let low = 0;
    let high = this.#intervals.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#intervals[middle] as Interval).to >= number) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
