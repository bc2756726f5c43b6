import { EditError } from "../../format/mod.ts";
import { refcountAt } from "../check/refcounts.ts";
import { masked } from "../entry_bits.ts";
import { offsetWords, writeWords } from "../encode/entries.ts";
import { encodeRefcounts } from "../encode/refcounts.ts";
import { entryBits, limits, refcountTableEntry } from "../structures.ts";
import type { Clusters, HostFile } from "./host.ts";
import { bytesOf, EXACT_MAX, mustFit, nextZero, setRefcountAt } from "./refcount_block.ts";

/** A refcount block in memory. Changes are written at once. */
interface Block {
  readonly index: number;
  /** Byte offset in the file; 0 if there is no block. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * The refcounts of an image, and the allocation of clusters.
 *
 * The order of writes: a new refcount block is durable before the refcount table points to it, and a
 * new refcount table before the header does. Everything else is up to the caller.
 */
export class Refcounts {
  readonly #image: HostFile;
  #block: Block | undefined;
  /** No cluster before this one is free. */
  #free = 0;

  constructor(image: HostFile) {
    this.#image = image;
  }

  /** Forgets what is in memory, after refcount structures were written elsewhere. */
  invalidate(): void {
    this.#block = undefined;
    this.#free = 0;
  }

  /** The refcount of a host cluster; one of 2^53 or more is rounded. */
  of(cluster: number): number {
    const { refblockEntries, refcountBits } = this.#image.geometry;
    const { offset, bytes } = this.#load(Math.floor(cluster / refblockEntries));
    return offset === 0 ? 0 : refcountAt(bytes, cluster % refblockEntries, refcountBits);
  }

  /**
   * Adds to the refcounts of clusters, which must have refcount blocks. Nothing is written if that is
   * not possible for one of them.
   *
   * @throws {EditError} if a refcount would be too large for its width
   */
  add(clusters: Clusters, delta: number): void {
    const { refcountBits } = this.#image.geometry;
    for (const { block, from, to } of this.#pieces(clusters)) {
      for (let i = from; i < to; i++) {
        const next = refcountAt(block.bytes, i, refcountBits) + delta;
        if (delta > 0) mustFit(next, refcountBits);
        if (next < 0) throw new Error("A cluster without references cannot be released");
      }
    }
    this.#update(clusters, (count) => count > EXACT_MAX ? count : count + delta);
    if (delta < 0) this.#free = Math.min(this.#free, clusters.first);
  }

  /** Sets the refcounts of clusters, which must have refcount blocks. */
  set(clusters: Clusters, value: number): void {
    this.#update(clusters, () => value);
    this.#free = Math.min(this.#free, clusters.first);
  }

  #update(clusters: Clusters, change: (count: number) => number): void {
    const bits = this.#image.geometry.refcountBits;
    for (const { block, from, to } of this.#pieces(clusters)) {
      for (let i = from; i < to; i++) {
        const count = refcountAt(block.bytes, i, bits);
        const value = change(count);
        if (value !== count) setRefcountAt(block.bytes, i, { bits, value });
      }
      const [start, end] = bytesOf(from, to, bits);
      this.#image.store.write(block.offset + start, block.bytes.subarray(start, end));
    }
    this.#image.changed();
  }

  /** The parts of a sequence of clusters by block. */
  *#pieces({ first, count }: Clusters): Generator<{ block: Block; from: number; to: number }> {
    const { refblockEntries } = this.#image.geometry;
    for (let at = first; at < first + count;) {
      const block = this.#load(Math.floor(at / refblockEntries));
      if (block.offset === 0) throw new Error("The clusters have no refcount block");
      const start = block.index * refblockEntries;
      const to = Math.min(refblockEntries, first + count - start);
      yield { block, from: at - start, to };
      at = start + to;
    }
  }

  #load(index: number): Block {
    if (this.#block?.index === index) return this.#block;
    const { store, geometry } = this.#image;
    const offset = this.blockOffset(index);
    const bytes = new Uint8Array(offset === 0 ? 0 : geometry.clusterSize);
    if (offset !== 0) store.readInto(offset, bytes);
    return this.#block = { index, offset, bytes };
  }

  /** Byte offset of the block at an index of the refcount table; 0 if there is none. */
  blockOffset(index: number): number {
    if (index >= this.#tableLength) return 0;
    const at = Number(this.#image.file.header.refcount_table_offset) +
      index * refcountTableEntry.size;
    const [high, low] = this.#image.words(at, 2);
    return masked(high as number, low as number, entryBits.refblockOffset);
  }

  /** Number of entries of the refcount table. */
  get #tableLength(): number {
    const { file, geometry } = this.#image;
    return file.header.refcount_table_clusters * geometry.tableEntries;
  }

  /**
   * Allocates contiguous clusters, with a refcount of 1. Until an entry refers to them, a crash leaks
   * them.
   *
   * @param from number of the first cluster that may be used
   * @throws {EditError} if the file would be too long
   * @returns the number of the first one
   */
  allocate(count: number, from = 0): number {
    for (;;) {
      let needed = count;
      this.#free = this.#nextFree(this.#free);
      const at = Math.max(from, this.#free);
      let first = this.#search(at, needed);
      let missing = this.#missing({ first, count: needed });
      while (count + missing.length > needed) {
        needed = count + missing.length;
        first = this.#search(at, needed);
        missing = this.#missing({ first, count: needed });
      }
      if ((missing.at(-1) ?? 0) >= this.#tableLength) {
        this.#growTable((missing.at(-1) as number) + 1);
        continue;
      }
      if (missing.length > 0) this.#addBlocks(missing, first + count);
      this.add({ first, count }, 1);
      return first;
    }
  }

  /** The first of so many contiguous free clusters. */
  #search(from: number, count: number): number {
    let first = from;
    for (let at = from; at < first + count; at++) {
      if (this.of(at) === 0) continue;
      at = this.#nextFree(at);
      first = at;
    }
    return first;
  }

  /** The first free cluster at or after one. */
  #nextFree(from: number): number {
    const { refblockEntries, refcountBits } = this.#image.geometry;
    for (let at = from;;) {
      const { index, offset, bytes } = this.#load(Math.floor(at / refblockEntries));
      if (offset === 0) return at;
      const start = index * refblockEntries;
      const next = nextZero(bytes, [at - start, refblockEntries], refcountBits);
      if (next < refblockEntries) return start + next;
      at = start + refblockEntries;
    }
  }

  /** The indices of the refcount blocks that clusters lack. */
  #missing({ first, count }: Clusters): number[] {
    const { refblockEntries } = this.#image.geometry;
    const missing: number[] = [];
    const last = Math.floor((first + count - 1) / refblockEntries);
    for (let i = Math.floor(first / refblockEntries); i <= last; i++) {
      if (this.blockOffset(i) === 0) missing.push(i);
    }
    return missing;
  }

  /**
   * Makes sure that clusters have refcount blocks. New ones are placed at free clusters.
   *
   * @param from number of the first cluster that may be used
   */
  cover(clusters: Clusters, from: number): void {
    const missing = this.#missing(clusters);
    if (missing.length === 0) return;
    // Clusters are allocated for the new blocks, and these may add some of the missing ones.
    const first = this.allocate(missing.length, from);
    const still = this.#missing(clusters);
    const { clusterSize } = this.#image.geometry;
    still.forEach((_, i) =>
      this.#image.store.write((first + i) * clusterSize, new Uint8Array(clusterSize))
    );
    this.#image.store.flush();
    still.forEach((index, i) => this.#enter(index, first + i));
    const unused = missing.length - still.length;
    if (unused > 0) this.add({ first: first + still.length, count: unused }, -1);
  }

  /** Adds refcount blocks at free clusters from `first` on. They count themselves and each other. */
  #addBlocks(indices: readonly number[], first: number): void {
    const { store, geometry } = this.#image;
    const { clusterSize, refblockEntries, refcountBits } = geometry;
    const blocks = new Map(indices.map((index) => [index, new Uint8Array(clusterSize)]));
    for (let cluster = first; cluster < first + indices.length; cluster++) {
      const block = blocks.get(Math.floor(cluster / refblockEntries));
      if (block === undefined) this.add({ first: cluster, count: 1 }, 1);
      else setRefcountAt(block, cluster % refblockEntries, { bits: refcountBits, value: 1 });
    }
    const places = new Map(indices.map((index, i) => [index, first + i]));
    for (const [index, block] of blocks) store.write((places.get(index) ?? 0) * clusterSize, block);
    // A block may be counted by another one, which must be found first.
    while (places.size > 0) {
      store.flush();
      const next = [...places].filter(([index, cluster]) => {
        const countedBy = Math.floor(cluster / refblockEntries);
        return countedBy === index || !places.has(countedBy);
      });
      for (const [index, cluster] of next) this.#enter(index, cluster);
      for (const [index] of next) places.delete(index);
    }
  }

  /** Points an entry of the refcount table to a block. */
  #enter(index: number, cluster: number): void {
    if (index >= this.#tableLength) this.#growTable(index + 1);
    const { file, geometry } = this.#image;
    const table = Number(file.header.refcount_table_offset);
    const at = table + index * refcountTableEntry.size;
    this.#image.setWords(at, offsetWords(cluster * geometry.clusterSize));
    this.#block = undefined;
  }

  /**
   * Replaces the refcount table by a longer one, after all clusters that have refcounts. The new table
   * and its blocks are durable before the header points to it.
   */
  #growTable(entries: number): void {
    const image = this.#image;
    const { store, geometry: { clusterSize, tableEntries, refblockEntries, refcountBits } } = image;
    const { refcount_table_offset, refcount_table_clusters } = image.file.header;
    const oldLength = this.#tableLength;
    const first = oldLength * refblockEntries;
    let clusters = 0;
    let blocks = 0;
    for (let known = -1; known !== clusters + blocks;) {
      known = clusters + blocks;
      blocks = Math.ceil(known / refblockEntries);
      // Half as much again, so that it is not replaced often.
      const length = Math.max(entries + blocks, Math.ceil(oldLength * 1.5) + blocks);
      clusters = Math.ceil(length / tableEntries);
    }
    if (clusters * clusterSize > limits.refcountTable) {
      throw new EditError("The file is too long: its refcount table would be longer than 8 MiB");
    }
    const table = new Uint8Array(clusters * clusterSize);
    table.set(store.read(Number(refcount_table_offset), oldLength * refcountTableEntry.size));
    for (let i = 0; i < blocks; i++) {
      const cluster = first + clusters + i;
      const entry = (oldLength + i) * refcountTableEntry.size;
      writeWords(table, entry, offsetWords(cluster * clusterSize));
      const block = new Uint8Array(clusterSize);
      const counted = Math.min(refblockEntries, clusters + blocks - i * refblockEntries);
      block.set(encodeRefcounts(new Uint32Array(counted).fill(1), refcountBits));
      store.write(cluster * clusterSize, block);
    }
    store.write(first * clusterSize, table);
    store.flush();
    image.setHeader({
      refcount_table_offset: BigInt(first * clusterSize),
      refcount_table_clusters: clusters,
    });
    this.#block = undefined;
    image.free({
      first: Number(refcount_table_offset) / clusterSize,
      count: refcount_table_clusters,
    });
  }
}
