import { EntryTable, PageMemory } from "../format/mod.ts";
import { type ByteSource, LastUsed } from "../bytes/mod.ts";
import type { L2Entry } from "./l2_entries.ts";
import type { Geometry } from "./geometry.ts";
import { masked } from "./entry_bits.ts";
import { entryBits, limits } from "./structures.ts";

/** An L2 table with standard or extended entries. */
export class L2Table {
  readonly offset: number;
  /** The memory for the page that is read. */
  readonly memory: PageMemory;
  /** Entries that are stored in the file; all others are zero. */
  readonly stored: number;
  readonly #table: EntryTable;
  readonly #words: 1 | 2;
  readonly #clusterSize: number;

  /** @param memory for the page that is read; other tables may use it, too */
  constructor(
    source: ByteSource,
    offset: number,
    geometry: Geometry,
    memory: PageMemory = new PageMemory(),
  ) {
    this.#words = geometry.extendedL2 ? 2 : 1;
    this.#table = new EntryTable(source, offset, geometry.l2Entries * this.#words, memory);
    this.#clusterSize = geometry.clusterSize;
    this.memory = memory;
    this.offset = offset;
    this.stored = Math.ceil(this.#table.stored / this.#words);
  }

  /** The first word of an entry, bits 32 to 63. */
  high(index: number): number {
    return this.#table.high(index * this.#words);
  }

  /** The first word of an entry, bits 0 to 31. */
  low(index: number): number {
    return this.#table.low(index * this.#words);
  }

  /** Subcluster bitmap, lower half; 0 without extended entries. */
  allocated(index: number): number {
    return this.#words === 2 ? this.#table.low(2 * index + 1) : 0;
  }

  /** Subcluster bitmap, upper half; 0 without extended entries. */
  zero(index: number): number {
    return this.#words === 2 ? this.#table.high(2 * index + 1) : 0;
  }

  entry(index: number): L2Entry {
    return {
      high: this.high(index),
      low: this.low(index),
      allocated: this.allocated(index),
      zero: this.zero(index),
    };
  }

  /**
   * The number of entries from `index` on, at least 1, that have the same flags and whose clusters
   * follow each other in the file. Extended entries are not compared.
   */
  sequence(index: number): number {
    if (this.#words === 2) return 1;
    const offset = masked(this.high(index), this.low(index), entryBits.l2Offset);
    // Beyond, adding up would change flags.
    const most = (limits.offsetEnd - offset) / this.#clusterSize;
    return this.#table.sequence(index, this.#clusterSize, Math.min(most, this.stored - index));
  }

  /** Byte offset of an entry in the file. */
  offsetOf(index: number): number {
    return this.#table.offsetOf(index * this.#words);
  }

  /** The first nonzero entry at or after `index`; `stored` if there is none. */
  nextNonZero(index: number): number {
    const next = this.#table.nextNonZero(index * this.#words);
    return Math.min(this.stored, Math.floor(next / this.#words));
  }
}

/** Size of the cache of L2 tables in bytes. */
const CACHE_BYTES = 8 * 2 ** 20;

/** A cache of the most recently used L2 tables, for random access. */
export class L2Cache {
  readonly #source: ByteSource;
  readonly #geometry: Geometry;
  readonly #tables: LastUsed<number, L2Table>;

  constructor(source: ByteSource, geometry: Geometry) {
    this.#source = source;
    this.#geometry = geometry;
    this.#tables = new LastUsed(Math.max(1, CACHE_BYTES / geometry.clusterSize));
  }

  /** Number of tables that were read. A table that was evicted and read again counts again. */
  get tablesRead(): number {
    return this.#tables.made;
  }

  /** The L2 table at a byte offset. */
  at(offset: number): L2Table {
    const make = (old?: L2Table): L2Table =>
      new L2Table(this.#source, offset, this.#geometry, old?.memory);
    return this.#tables.get(offset, make);
  }
}
