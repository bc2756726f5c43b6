/** Arrays of JavaScript, which cost less than typed ones, for the few ranges that most images have. */
type Numbers = Float64Array | number[];

/** Sorted, disjoint ranges of host clusters. */
export class ClusterRanges {
  readonly #starts: Numbers;
  /** The first cluster after each range. */
  readonly #ends: Numbers;
  /** Number of ranges. */
  readonly size: number;

  /** @param starts first clusters in order, and `ends` the clusters after; both are changed */
  private constructor(starts: Numbers, ends: Numbers) {
    let size = Math.min(1, starts.length);
    for (let i = 1; i < starts.length; i++) {
      const start = starts[i] as number;
      const end = ends[i] as number;
      if (start <= (ends[size - 1] as number)) {
        ends[size - 1] = Math.max(ends[size - 1] as number, end);
      } else {
        starts[size] = start;
        ends[size++] = end;
      }
    }
    this.#starts = starts;
    this.#ends = ends;
    this.size = size;
  }

  /** The clusters that byte ranges touch. A range is an offset and a length. */
  static ofRanges(
    ranges: readonly (readonly [number, number])[],
    clusterSize: number,
  ): ClusterRanges {
    const sorted = ranges.filter(([, length]) => length > 0).sort(([a], [b]) => a - b);
    return new ClusterRanges(
      sorted.map(([offset]) => Math.floor(offset / clusterSize)),
      sorted.map(([offset, length]) => Math.ceil((offset + length) / clusterSize)),
    );
  }

  /** The clusters that ranges of one cluster's length touch. `offsets` are sorted in place. */
  static ofClusters(offsets: Float64Array, clusterSize: number): ClusterRanges {
    offsets.sort();
    const starts = new Float64Array(offsets.length);
    const ends = new Float64Array(offsets.length);
    for (let i = 0; i < offsets.length; i++) {
      const cluster = offsets[i] as number / clusterSize;
      starts[i] = Math.floor(cluster);
      ends[i] = Math.ceil(cluster) + 1;
    }
    return new ClusterRanges(starts, ends);
  }

  /**
   * The gap around a cluster: the first cluster after the previous range, and the first cluster of the
   * next range or infinity. For a cluster inside a range, `after` is the cluster.
   */
  around(cluster: number): { before: number; after: number } {
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] as number) <= cluster) low = middle + 1;
      else high = middle;
    }
    const before = low === 0 ? 0 : this.#ends[low - 1] as number;
    if (before > cluster) return { before: cluster, after: cluster };
    return { before, after: low < this.size ? this.#starts[low] as number : Infinity };
  }
}
