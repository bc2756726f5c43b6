import type { Geometry } from "../geometry.ts";
import type { Clusters } from "./host.ts";
import type { Refcounts } from "./refcounts.ts";

/** What allocates clusters. */
interface CompressedHost {
  readonly geometry: Geometry;
  readonly refcounts: Refcounts;
  /** Allocates contiguous clusters. @returns the number of the first one */
  allocate(count: number): number;
  /** Adds a reference to clusters. */
  reference(clusters: Clusters): void;
}

/** Where the next compressed data goes: after the last, in the same cluster. */
export class CompressedSpace {
  readonly #image: CompressedHost;
  /** The end of the last data; at the start of a cluster, there is no space after it. */
  #end = 0;

  constructor(image: CompressedHost) {
    this.#image = image;
  }

  /** Forgets the space. */
  invalidate(): void {
    this.#end = 0;
  }

  /** Forgets the space if its cluster was released. */
  released({ first, count }: Clusters): void {
    const cluster = Math.floor(this.#end / this.#image.geometry.clusterSize);
    const isOurs = cluster >= first && cluster < first + count;
    if (isOurs && this.#image.refcounts.of(cluster) === 0) this.#end = 0;
  }

  /**
   * Allocates so many bytes, fewer than a cluster. As in QEMU, they follow the previous data if its
   * cluster has enough space or the next free cluster is the one after it.
   *
   * @returns their offset in the file
   */
  take(length: number): number {
    const { refcounts, geometry } = this.#image;
    const { clusterSize, refcountMax } = geometry;
    const cluster = Math.floor(this.#end / clusterSize);
    const room = (cluster + 1) * clusterSize - this.#end;
    const canShare = this.#end % clusterSize !== 0 && refcounts.of(cluster) < Number(refcountMax);
    let offset = this.#end;
    if (!canShare || length > room) {
      const next = this.#image.allocate(1);
      if (canShare && next === cluster + 1) this.#image.reference({ first: cluster, count: 1 });
      else offset = next * clusterSize;
    } else {
      this.#image.reference({ first: cluster, count: 1 });
    }
    this.#end = offset + length;
    return offset;
  }
}
