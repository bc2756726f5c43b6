/** Sorted, disjoint ranges of host clusters. */
export class ClusterRanges {
  readonly #starts: Float64Array;
  /** The first cluster after each range. */
  readonly #ends: Float64Array;
  /** Number of ranges. */
  readonly size: number;

  /** @param sorted pairs of the first cluster and the one after the last, sorted by the first */
  private constructor(sorted: Iterable<readonly [number, number]>, most: number) {
    const starts = new Float64Array(most);
    const ends = new Float64Array(most);
    let size = 0;
    for (const [start, end] of sorted) {
      if (size > 0 && start <= (ends[size - 1] as number)) {
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
    const touched = ranges.filter(([, length]) => length > 0).map(([offset, length]) =>
      [Math.floor(offset / clusterSize), Math.ceil((offset + length) / clusterSize)] as const
    );
    return new ClusterRanges(touched.sort(([a], [b]) => a - b), touched.length);
  }

  /** The clusters that ranges of one cluster's length touch. `offsets` are sorted in place. */
  static ofClusters(offsets: Float64Array, clusterSize: number): ClusterRanges {
    offsets.sort();
    return new ClusterRanges(
      function* (): Generator<[number, number]> {
        for (const offset of offsets) {
          yield [Math.floor(offset / clusterSize), Math.ceil(offset / clusterSize) + 1];
        }
      }(),
      offsets.length,
    );
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
