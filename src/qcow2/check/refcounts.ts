import { type ByteSource, LastUsed, readUpTo } from "../../bytes/mod.ts";
import { EntryTable, requestable } from "../../format/mod.ts";
import type { Qcow2File } from "../decode.ts";
import type { Geometry } from "../geometry.ts";
import { entryBits } from "../structures.ts";

/** Used instead of a refcount whose block is at an invalid offset or cannot be read. */
export const UNREADABLE = -1;

/** Size of the cache of refcount blocks in bytes. */
const CACHE_BYTES = 4 * 2 ** 20;

/** The refcounts that an image stores, read block by block. */
export class StoredRefcounts {
  readonly table: EntryTable;
  readonly #source: ByteSource;
  readonly #geometry: Geometry;
  /** Blocks by their index: the clusters of tables that are damaged are in any order. */
  readonly #blocks: LastUsed<number, Uint8Array | typeof UNREADABLE | "none">;
  /** The block that was used last. */
  #block: Uint8Array | typeof UNREADABLE | "none" = "none";
  #blockIndex = -1;

  constructor(file: Qcow2File, geometry: Geometry) {
    const { refcount_table_offset: offset, refcount_table_clusters: clusters } = file.header;
    this.table = new EntryTable(file.source, Number(offset), clusters * geometry.tableEntries);
    this.#source = file.source;
    this.#geometry = geometry;
    this.#blocks = new LastUsed(Math.max(1, CACHE_BYTES / geometry.clusterSize));
  }

  /** Byte offset of the refcount block that a table entry points to; 0 for none. */
  blockOffset(index: number): bigint {
    return this.table.value(index) & entryBits.refblockOffset.mask;
  }

  /**
   * The stored refcount of a host cluster: 0 if there is no block for it, {@link UNREADABLE} if the
   * block cannot be read. Refcounts of 2^53 and more are rounded: no file has that many references.
   */
  of(cluster: number): number {
    const index = Math.floor(cluster / this.#geometry.refblockEntries);
    if (index !== this.#blockIndex) {
      this.#block = this.#blocks.get(index, () => this.#load(index));
      this.#blockIndex = index;
    }
    const block = this.#block;
    if (block === "none") return 0;
    if (block === UNREADABLE) return UNREADABLE;
    return refcountAt(block, cluster % this.#geometry.refblockEntries, this.#geometry.refcountBits);
  }

  /** The first cluster at or after `from` with a refcount block; infinity if there is none. */
  nextCounted(from: number): number {
    const { refblockEntries } = this.#geometry;
    const block = this.table.nextNonZero(Math.floor(from / refblockEntries));
    return block < this.table.length ? Math.max(from, block * refblockEntries) : Infinity;
  }

  #load(index: number): Uint8Array | typeof UNREADABLE | "none" {
    if (index >= this.table.length) return "none";
    const offset = this.blockOffset(index);
    if (offset === 0n) return "none";
    const { clusterSize } = this.#geometry;
    if (offset % BigInt(clusterSize) !== 0n) return UNREADABLE;
    if (!requestable(offset, BigInt(clusterSize))) return UNREADABLE;
    return readUpTo(this.#source, Number(offset), clusterSize);
  }
}

/**
 * A refcount in a block. Refcounts of 8 bits and more are big-endian integers; narrower ones are packed
 * starting with the least significant bit. Bytes past the end of the block are zeros.
 */
export function refcountAt(block: Uint8Array, index: number, bits: number): number {
  if (bits < 8) {
    const bit = index * bits;
    return (block[Math.floor(bit / 8)] ?? 0) >> bit % 8 & (2 ** bits - 1);
  }
  const width = bits / 8;
  let value = 0;
  for (let i = index * width; i < (index + 1) * width; i++) value = value * 256 + (block[i] ?? 0);
  return value;
}
