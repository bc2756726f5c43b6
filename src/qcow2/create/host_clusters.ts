/**
 * Gives out host clusters in order, the header's first, and counts the references to them. Each has
 * one, but for those that several streams of compressed data are in.
 */
export class HostClusters {
  /** Clusters so far, with the header's. */
  count = 1;
  /** Clusters that do not have exactly one reference, in ascending order. */
  readonly shared: Map<number, number> = new Map();
  readonly #clusterSize: number;
  readonly #refcountMax: bigint;
  /** Where the compressed data ends that the next may follow; at the start of a cluster: nowhere. */
  #free = 0;

  constructor(clusterSize: number, refcountMax: bigint) {
    this.#clusterSize = clusterSize;
    this.#refcountMax = refcountMax;
  }

  /** The offset of new clusters that hold so many bytes. */
  take(length: number): number {
    const offset = this.count * this.#clusterSize;
    this.count += Math.ceil(length / this.#clusterSize);
    return offset;
  }

  /**
   * The offset of so many bytes of compressed data, fewer than a cluster has: behind the data before
   * it where there is room, or where the next cluster is new as well, as QEMU puts it.
   */
  takeBytes(length: number): number {
    const size = this.#clusterSize;
    const cluster = Math.floor(this.#free / size);
    const refs = this.shared.get(cluster) ?? 1;
    const end = (cluster + 1) * size;
    const follows = this.#free % size !== 0 && BigInt(refs) < this.#refcountMax &&
      (this.#free + length <= end || end === this.count * size);
    const offset = follows ? this.#free : this.count * size;
    if (follows) this.shared.set(cluster, refs + 1);
    while (this.count * size < offset + length) this.count++;
    this.#free = offset + length;
    return offset;
  }
}
