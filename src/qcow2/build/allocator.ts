import type { Extent } from "./extent.ts";

/**
 * Gives out host clusters from the second on, in order. Compressed data goes where QEMU's
 * qcow2_alloc_bytes would put it: right behind the compressed data before it, as long as that ends in
 * the middle of a cluster and the next free cluster follows, or there is room without one.
 */
export class HostAllocator {
  /** Clusters so far: the file's length in clusters. */
  clusters = 1;
  readonly #clusterSize: number;
  readonly #refcountMax: number;
  /** Where the compressed data ends that a next one may be put behind; 0 for nowhere. */
  #freeByte = 0;
  /** References to the cluster that `#freeByte` is in. */
  #freeRefs = 0;

  constructor(clusterSize: number, refcountMax: number) {
    this.#clusterSize = clusterSize;
    this.#refcountMax = refcountMax;
  }

  /** Leaves clusters free. */
  skip(clusters: number): void {
    this.clusters += clusters;
  }

  /** The offset for an extent. */
  place(extent: Extent): number {
    if (extent.gap !== undefined) return this.#packed(extent, extent.gap);
    const offset = this.clusters * this.#clusterSize;
    this.clusters += Math.ceil(extent.length / this.#clusterSize);
    return offset;
  }

  #packed({ length, refs }: Extent, gap: number): number {
    const size = this.#clusterSize;
    if (this.#freeRefs + refs > this.#refcountMax) this.#freeByte = 0;
    let start = this.#freeByte;
    let end = Math.ceil(start / size) * size;
    while (start === 0 || start + gap + length > end) {
      const next = this.clusters++ * size;
      if (start === 0 || next !== end) start = next;
      end = next + size;
    }
    const offset = start + gap;
    const stop = offset + length;
    const sameCluster = this.#freeByte !== 0 &&
      Math.floor((stop - 1) / size) === Math.floor(this.#freeByte / size);
    this.#freeRefs = sameCluster ? this.#freeRefs + refs : refs;
    this.#freeByte = stop % size === 0 ? 0 : stop;
    return offset;
  }
}
