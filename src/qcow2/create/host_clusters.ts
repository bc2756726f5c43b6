/**
 * Allocates host clusters in order, starting with that of the header, and counts the references to
 * them. Each has one reference, unless several streams of compressed data share it.
 */
export class HostClusters {
  /** Clusters allocated so far, including that of the header. */
  count = 1;
  /** Clusters that do not have exactly one reference, in ascending order. */
  readonly shared: Map<number, number> = new Map();
  readonly #clusterSize: number;
  readonly #refcountMax: bigint;
  /**
   * The end of the compressed data that the next may follow. If it is at the start of a cluster,
   * none may.
   */
  #free = 0;

  constructor(clusterSize: number, refcountMax: bigint) {
    this.#clusterSize = clusterSize;
    this.#refcountMax = refcountMax;
  }

  /** Allocates new clusters for so many bytes, and returns their offset. */
  take(length: number): number {
    const offset = this.count * this.#clusterSize;
    this.count += Math.ceil(length / this.#clusterSize);
    return offset;
  }

  /**
   * Allocates so many bytes of compressed data, fewer than a cluster, and returns their offset. As
   * in QEMU, this is after the previous data if that cluster has enough space or the next cluster
   * is new as well.
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
