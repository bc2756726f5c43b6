import type { Extent } from "./extent.ts";

/**
 * Allocates host clusters in order, from the second on. Compressed data goes where QEMU's
 * qcow2_alloc_bytes would put it: directly after the previous compressed data if that ends inside a
 * cluster and either there is enough space in it or the next free cluster follows.
 */
export class HostAllocator {
  /** Clusters allocated so far: the length of the file in clusters. */
  clusters = 1;
  readonly #clusterSize: number;
  readonly #refcountMax: number;
  /** The end of the compressed data that the next may follow; 0 if there is none. */
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

  /** Leaves all clusters before an offset free. */
  skipTo(offset: number): void {
    this.clusters = Math.max(this.clusters, Math.ceil(offset / this.#clusterSize));
  }

  /**
   * The offset for an extent.
   *
   * @param wanted the offset that it has, past all that is allocated; by default the first free one
   */
  place(extent: Extent, wanted?: number): number {
    if (wanted !== undefined) {
      this.clusters = Math.floor(wanted / this.#clusterSize);
      this.#freeByte = 0;
    }
    if (extent.gap !== undefined) {
      return this.#packed(extent, wanted === undefined ? extent.gap : wanted % this.#clusterSize);
    }
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
