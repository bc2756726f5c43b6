import { type ByteSource, LastUsed } from "../../bytes/mod.ts";
import { EntryTable, requestable } from "../../format/mod.ts";
import type { Qcow2File } from "../decode.ts";
import type { Geometry } from "../geometry.ts";
import { entryBits } from "../structures.ts";

/** Used instead of a refcount whose block is at an invalid offset or cannot be read. */
export const UNREADABLE = -1;

/** The bytes of a refcount block as far as they are stored, or why there are none. */
type Block = Uint8Array | typeof UNREADABLE | "none";

const BYTE = 8;
/** Size of the cache of refcount blocks in bytes. */
const CACHE_BYTES = 4 * 2 ** 20;

/** The refcounts that an image stores, read block by block. */
export class StoredRefcounts {
  readonly table: EntryTable;
  readonly #source: ByteSource;
  readonly #geometry: Geometry;
  /** Blocks by their index: the clusters of tables that are damaged are in any order. */
  readonly #blocks: LastUsed<number, Block>;
  /** The block that was used last. */
  #block: Block = "none";
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
    const block = this.#blockOf(cluster);
    if (block === "none") return 0;
    if (block === UNREADABLE) return UNREADABLE;
    return refcountAt(block, cluster % this.#geometry.refblockEntries, this.#geometry.refcountBits);
  }

  /**
   * The number of clusters from `cluster` on that are known to have its refcount.
   *
   * @param most at least 1; no more of them are compared
   */
  same(cluster: number, most = Infinity): number {
    const block = this.#blockOf(cluster);
    const { refblockEntries, refcountBits } = this.#geometry;
    const entry = cluster % refblockEntries;
    if (typeof block !== "object") return Math.min(most, refblockEntries - entry);
    return sameRefcounts(block, entry, { bits: refcountBits, most });
  }

  #blockOf(cluster: number): Block {
    const index = Math.floor(cluster / this.#geometry.refblockEntries);
    if (index !== this.#blockIndex) {
      this.#block = this.#blocks.get(index, (old) => this.#load(index, old));
      this.#blockIndex = index;
    }
    return this.#block;
  }

  /** The first cluster in `[from, end)` that may have a refcount; `end` if there is none. */
  nextCounted(from: number, end: number): number {
    const { refblockEntries } = this.#geometry;
    const blocks = Math.min(this.table.length, Math.ceil(end / refblockEntries));
    const next = (block: number): number => this.table.nextNonZero(block, blocks);
    for (let i = next(Math.floor(from / refblockEntries)); i < blocks; i = next(i + 1)) {
      const start = i * refblockEntries;
      const last = Math.min(refblockEntries, end - start);
      const entry = this.#nextEntry(i, Math.max(0, from - start), last);
      if (entry < last) return start + entry;
    }
    return end;
  }

  /** The first entry of a block in `[from, end)` that may not be zero, or one that is not before `end`. */
  #nextEntry(index: number, from: number, end: number): number {
    const block = this.#blockOf(index * this.#geometry.refblockEntries);
    if (block === "none") return end;
    if (block === UNREADABLE) return from;
    const { refcountBits } = this.#geometry;
    const last = Math.min(block.length, Math.ceil(end * refcountBits / 8));
    let byte = Math.floor(from * refcountBits / 8);
    while (byte < last && block[byte] === 0) byte++;
    return byte < last ? Math.max(from, Math.floor(byte * 8 / refcountBits)) : end;
  }

  #load(index: number, old?: Block): Block {
    if (index >= this.table.length) return "none";
    const offset = this.blockOffset(index);
    if (offset === 0n) return "none";
    const { clusterSize } = this.#geometry;
    if (offset % BigInt(clusterSize) !== 0n) return UNREADABLE;
    if (!requestable(offset, BigInt(clusterSize))) return UNREADABLE;
    const length = Math.max(0, Math.min(clusterSize, this.#source.size - Number(offset)));
    const block = typeof old === "object" && old.length === length ? old : new Uint8Array(length);
    this.#source.readInto(Number(offset), block);
    return block;
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

const WORD = 4;

/**
 * The number of refcounts from `index` on that are equal, at least 1 and at most `most`. Those of less
 * than 8 bits are not compared.
 */
export function sameRefcounts(
  block: Uint8Array,
  index: number,
  { bits, most }: { bits: number; most: number },
): number {
  if (bits < BYTE) return 1;
  const width = bits / BYTE;
  const length = Math.min(block.length, (index + most) * width);
  const isSame = (at: number): boolean => at < length && block[at] === block[at - width];
  const start = (index + 1) * width;
  let at = start;
  // From where a word and those before it that it is compared with are in this sequence, words at a time.
  const aligned = Math.ceil((start + WORD) / WORD) * WORD;
  while (at < aligned && isSame(at)) at++;
  if (at === aligned && block.byteOffset % WORD === 0) {
    const words = new Uint32Array(block.buffer, block.byteOffset, Math.floor(length / WORD));
    const lag = Math.max(1, width / WORD);
    let word = aligned / WORD;
    while (word < words.length && words[word] === words[word - lag]) word++;
    at = Math.max(at, word * WORD);
  }
  while (isSame(at)) at++;
  return 1 + Math.floor((at - start) / width);
}
