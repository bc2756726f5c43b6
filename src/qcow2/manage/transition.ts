import { offsetWords, writeWords } from "../encode/entries.ts";
import { refcountTableEntry } from "../structures.ts";
import { refcountAt } from "../check/refcounts.ts";
import type { HeaderFields } from "../write/header.ts";
import type { WritableImage } from "../write/image.ts";
import { mustFit, setRefcountAt } from "../write/refcount_block.ts";
import { type Clusters, clustersAt } from "../write/host.ts";

/** Clusters whose changes are stored together. */
const CHUNK = 2 ** 12;

/**
 * A change of refcounts and tables that takes effect with one write of the header.
 *
 * New tables, and new copies of the refcount blocks that change, are written to free clusters. Then one
 * write makes the header point to them. Until then a crash leaves the old image with leaks, and
 * afterwards the new one without any. Refcounts, copied flags and references therefore agree at any time,
 * which no order of changes in place achieves.
 */
export class Transition {
  readonly #image: WritableImage;
  /** How many references are added, by cluster. */
  readonly #changes = new Map<number, Int32Array>();

  constructor(image: WritableImage) {
    this.#image = image;
  }

  /** Adds references to clusters, or removes them. */
  count({ first, count }: Clusters, delta: number): void {
    for (let cluster = first; cluster < first + count; cluster++) {
      const index = Math.floor(cluster / CHUNK);
      let chunk = this.#changes.get(index);
      if (chunk === undefined) this.#changes.set(index, chunk = new Int32Array(CHUNK));
      chunk[cluster % CHUNK] = (chunk[cluster % CHUNK] as number) + delta;
    }
  }

  /** Removes the references to the clusters of a table. */
  release(offset: number, bytes: number): void {
    this.count(clustersAt(this.#image.geometry, offset, bytes), -1);
  }

  /** The refcount of a cluster afterwards. */
  countOf(cluster: number): number {
    const change = this.#changes.get(Math.floor(cluster / CHUNK))?.[cluster % CHUNK] ?? 0;
    return this.#image.refcounts.of(cluster) + change;
  }

  /**
   * Makes the change durable.
   *
   * @throws {EditError} if a refcount would be too large for its width
   */
  commit(fields: HeaderFields): void {
    const image = this.#image;
    this.#check();
    const blocks = this.#blocks();
    if (blocks.size > 0) this.#replaceBlocks(blocks, fields);
    else {
      image.barrier();
      image.setHeader(fields);
    }
    image.flush();
    image.refcounts.invalidate();
    image.compressed.invalidate();
  }

  /** Clusters whose refcounts change, in no order. */
  *#changed(): Generator<[cluster: number, delta: number]> {
    for (const [index, chunk] of this.#changes) {
      for (let i = 0; i < CHUNK; i++) {
        const delta = chunk[i] as number;
        if (delta !== 0) yield [index * CHUNK + i, delta];
      }
    }
  }

  #check(): void {
    for (const [cluster] of this.#changed()) {
      const count = this.countOf(cluster);
      if (count < 0) throw new Error("A cluster without references cannot be released");
      mustFit(count, this.#image.geometry.refcountBits);
    }
  }

  /** The indices of the refcount blocks that change. They are replaced, so their own refcounts change. */
  #blocks(): Set<number> {
    const { geometry: { clusterSize, refblockEntries } } = this.#image;
    const known = new Set<number>();
    const found = (): number[] => {
      const blocks = new Set<number>();
      for (const [cluster] of this.#changed()) blocks.add(Math.floor(cluster / refblockEntries));
      return [...blocks].filter((index) => !known.has(index));
    };
    for (let next = found(); next.length > 0; next = found()) {
      if (known.size === 0) {
        const { refcount_table_offset, refcount_table_clusters } = this.#image.file.header;
        const table = Number(refcount_table_offset) / clusterSize;
        this.count({ first: table, count: refcount_table_clusters }, -1);
      }
      for (const index of next) {
        known.add(index);
        this.count({ first: this.#image.refcounts.blockOffset(index) / clusterSize, count: 1 }, -1);
      }
    }
    return known;
  }

  #replaceBlocks(indices: Set<number>, fields: HeaderFields): void {
    const image = this.#image;
    const { store, geometry: { clusterSize } } = image;
    const before = image.file.header.refcount_table_offset;
    const tableClusters = image.file.header.refcount_table_clusters;
    const table = image.allocate(tableClusters) * clusterSize;
    const places = new Map<number, number>();
    for (const index of indices) places.set(index, image.allocate(1) * clusterSize);
    image.barrier();
    if (image.file.header.refcount_table_offset !== before) {
      // The new clusters have made the refcount table longer. It now has room for the next attempt.
      image.free({ first: table / clusterSize, count: tableClusters });
      for (const place of places.values()) image.free({ first: place / clusterSize, count: 1 });
      image.barrier();
      for (const index of indices) {
        this.count({ first: this.#image.refcounts.blockOffset(index) / clusterSize, count: 1 }, 1);
      }
      this.count({ first: Number(before) / clusterSize, count: tableClusters }, 1);
      return this.#replaceBlocks(this.#blocks(), fields);
    }
    const entries = store.read(Number(before), tableClusters * clusterSize).slice();
    for (const [index, place] of places) {
      const block = store.read(this.#image.refcounts.blockOffset(index), clusterSize).slice();
      this.#apply(block, index);
      store.write(place, block);
      writeWords(entries, index * refcountTableEntry.size, offsetWords(place));
    }
    store.write(table, entries);
    image.flush();
    image.setHeader({ ...fields, refcount_table_offset: BigInt(table) });
  }

  #apply(block: Uint8Array, index: number): void {
    const { refblockEntries, refcountBits: bits } = this.#image.geometry;
    const first = index * refblockEntries;
    for (let i = 0; i < refblockEntries;) {
      const cluster = first + i;
      const chunk = this.#changes.get(Math.floor(cluster / CHUNK));
      const length = Math.min(refblockEntries - i, CHUNK - cluster % CHUNK);
      for (let k = 0; chunk !== undefined && k < length; k++) {
        const delta = chunk[cluster % CHUNK + k] as number;
        if (delta === 0) continue;
        const value = refcountAt(block, i + k, bits) + delta;
        setRefcountAt(block, i + k, { bits, value });
      }
      i += length;
    }
  }
}
