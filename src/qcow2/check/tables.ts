import { type ByteSource, hex, storedSize } from "../../bytes/mod.ts";
import { classOf, compressedRange, type EntryContext, hostOffset } from "../l2_entries.ts";
import { L2Table } from "../l2_tables.ts";
import { addBroken, type Context, type Sink } from "../../layout/mod.ts";
import { EntryTable, PageMemory, requestable, type Watch } from "../../format/mod.ts";
import type { FoundRule } from "../findings.ts";
import { anyBit, masked, wordOf } from "../entry_bits.ts";
import { entryBits, l1Entry, l2Entry } from "../structures.ts";
import type { Mark, References } from "./references.ts";

/** Statistics of the active image. */
export interface Statistics {
  allocated: number;
  fragmented: number;
  compressed: number;
}

/** The number of references to an L2 table. A table with many references is walked once. */
interface TableUse {
  active: number;
  inactive: number;
}

/** An L1 table that check walks. */
export interface L1Place {
  readonly offset: bigint;
  readonly entries: number;
  readonly path: string;
  readonly active: boolean;
}

/** Entries that are checked in addition to the number that fits into the file: hostile tables overlap. */
const BUDGET = 2 ** 26;

/** Walks L1 and L2 tables and counts their references (check_refcounts_l1, check_refcounts_l2). */
export class TableWalk {
  readonly statistics: Statistics = { allocated: 0, fragmented: 0, compressed: 0 };
  readonly #source: ByteSource;
  readonly #context: EntryContext;
  readonly #references: References;
  readonly #uses = new Map<number, TableUse>();
  readonly #judging: { readonly context: Context; readonly findings: Sink<FoundRule, Mark> };
  #budget: number;

  constructor(source: ByteSource, context: EntryContext, references: References) {
    this.#source = source;
    this.#context = context;
    this.#references = references;
    this.#judging = {
      context: { "cluster size": context.geometry.clusterSize },
      findings: references.corrupted,
    };
    this.#budget = BUDGET + storedSize(source);
  }

  /** Entries that may still be checked. */
  get left(): number {
    return this.#budget;
  }

  /** Checks at most so many more entries. */
  limit(entries: number): void {
    this.#budget = Math.min(this.#budget, entries);
  }

  /** Counts the reference to an L1 table and records the L2 tables that it points to. */
  addL1(place: L1Place): void {
    const { entries, path } = place;
    if (entries === 0) return;
    const size = entries * l1Entry.size;
    const offset = Number(place.offset);
    this.#references.add({ offset, size, path });
    if (!requestable(place.offset, BigInt(size))) {
      const message = `The L1 table at ${hex(place.offset)} cannot be read`;
      this.#references.abort("qcow2.check.l2-io", { path, offset }, message);
    }
    const table = new EntryTable(this.#source, offset, entries);
    this.#spend(table.stored);
    for (let i = table.nextNonZero(0); i < table.length; i = table.nextNonZero(i + 1)) {
      this.#addL1Entry(table, i, place);
    }
  }

  #addL1Entry(table: EntryTable, index: number, { path, active }: L1Place): void {
    const high = table.high(index);
    const low = table.low(index);
    const at = { path: () => `${path}/${index}/l1_entry`, offset: table.offsetOf(index) };
    if (anyBit(high, low, entryBits.l1Reserved)) {
      this.#brokenL1("qcow2.check.l1e-reserved", { table, index, at });
    }
    const { clusterSize } = this.#context.geometry;
    const offset = masked(high, low, entryBits.l1Offset);
    this.#references.add({ offset, size: clusterSize, path: at.path });
    if (offset % clusterSize !== 0) {
      this.#brokenL1("qcow2.check.l2-aligned", { table, index, at });
    }
    const use = this.#uses.get(offset) ?? { active: 0, inactive: 0 };
    if (active) use.active++;
    else use.inactive++;
    this.#uses.set(offset, use);
  }

  /** Counts the references in the L2 tables. The order does not affect the counts. */
  walkL2(watch?: Watch): void {
    let number = 0;
    const memory = new PageMemory();
    for (const [offset, use] of this.#uses) {
      const table = new L2Table(this.#source, offset, this.#context.geometry, memory);
      this.#spend(table.stored);
      this.#walkTable(table, { use, path: `/l2[${number++}]` });
      watch?.(number / this.#uses.size);
    }
  }

  #walkTable(table: L2Table, { use, path }: { use: TableUse; path: string }): void {
    const { geometry, dataFile } = this.#context;
    const { clusterSize } = geometry;
    const times = use.active + use.inactive;
    let next = 0;
    for (let i = table.nextNonZero(0); i < table.stored; i = table.nextNonZero(i + 1)) {
      const high = table.high(i);
      const low = table.low(i);
      const at: Required<Mark> = {
        path: () => `${path}/${i}/l2_entry`,
        offset: table.offsetOf(i),
        times,
      };
      const kind = classOf(high, low, this.#context);
      if (kind !== "compressed" && anyBit(high, low, entryBits.l2Reserved)) {
        this.#brokenL2("qcow2.check.l2e-reserved", wordOf(high, low), at);
      }
      if (kind === "compressed") {
        if (this.#compressed(table, i, at)) {
          this.statistics.allocated += use.active;
          this.statistics.compressed += use.active;
          this.statistics.fragmented += use.active;
        }
      } else if (kind === "normal" || kind === "zero-allocated") {
        const offset = hostOffset(high, low);
        if (next !== 0 && offset !== next) this.statistics.fragmented += use.active;
        const length = this.#sequence(table, i, times);
        if (length > 0) {
          this.statistics.allocated += length * use.active;
          next = offset + length * clusterSize;
          i += length - 1;
          continue;
        }
        this.#standard(table, i, at);
        this.statistics.allocated += use.active;
        next = offset + clusterSize;
        if (!dataFile) this.#references.add({ offset, size: clusterSize, path: at.path, times });
      } else if (kind === "unallocated" && table.allocated(i) !== 0) {
        const message = "Subclusters are allocated, but the entry has no offset";
        this.#references.corrupt("qcow2.check.unalloc-bitmap", at, message);
      }
    }
  }

  /**
   * References the clusters of a sequence of entries that are sound, which is most of them.
   *
   * @returns how many entries are done
   */
  #sequence(table: L2Table, index: number, times: number): number {
    const { geometry: { extendedL2, clusterSize }, dataFile } = this.#context;
    const high = table.high(index);
    const low = table.low(index);
    const offset = hostOffset(high, low);
    if (extendedL2 || offset % clusterSize !== 0 || anyBit(high, low, entryBits.l2Reserved)) {
      return 0;
    }
    const length = table.sequence(index);
    return dataFile ? length : this.#references.addRun(offset, length, times);
  }

  /** Checks a compressed entry. Returns whether its data counts as referenced. */
  #compressed(table: L2Table, index: number, at: Required<Mark>): boolean {
    const high = table.high(index);
    const references = this.#references;
    if ((high & entryBits.copied.high) !== 0) {
      references.corrupt("qcow2.check.comp-copied", at, "A compressed cluster has the copied flag");
    }
    if (this.#context.dataFile) {
      const message = "A compressed cluster in an image with an external data file";
      references.corrupt("qcow2.check.comp-datafile", at, message);
      return false;
    }
    if (table.allocated(index) !== 0 || table.zero(index) !== 0) {
      const message = "The subcluster bitmap of a compressed cluster is not zero";
      references.corrupt("qcow2.check.comp-bitmap", at, message);
      return false;
    }
    const { offset, length } = compressedRange(high, table.low(index), this.#context.geometry);
    references.add({ offset, size: length, path: at.path, times: at.times });
    return true;
  }

  #standard(table: L2Table, index: number, at: Mark): void {
    const { geometry } = this.#context;
    const low = table.low(index);
    const allocated = table.allocated(index);
    const references = this.#references;
    if ((allocated & table.zero(index)) !== 0) {
      const message = "A subcluster is both allocated and zero";
      references.corrupt("qcow2.check.bitmap-conflict", at, message);
    }
    const offset = hostOffset(table.high(index), low);
    if (offset % geometry.clusterSize === 0) return;
    const holdsData = geometry.extendedL2 ? allocated !== 0 : (low & entryBits.zero.low) === 0;
    const rule = holdsData ? "qcow2.check.data-aligned" : "qcow2.check.prealloc-aligned";
    this.#brokenL2(rule, wordOf(table.high(index), low), at);
  }

  #brokenL1(
    rule: FoundRule,
    { table, index, at }: { table: EntryTable; index: number; at: Mark },
  ): void {
    addBroken(l1Entry, { l1_entry: table.value(index) }, { rule, place: at, ...this.#judging });
  }

  #brokenL2(rule: FoundRule, value: bigint, at: Mark): void {
    addBroken(l2Entry, { l2_entry: value }, { rule, place: at, ...this.#judging });
  }

  #spend(entries: number): void {
    this.#budget -= entries;
    if (this.#budget >= 0) return;
    const message = "The tables overlap so much that checking them would take too long";
    this.#references.abort("diskproof.work.budget", { path: "/" }, message);
  }
}
