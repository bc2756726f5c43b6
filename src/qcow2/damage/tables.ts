import { storedSize } from "../../bytes/mod.ts";
import { FoldedRanges } from "../../format/mod.ts";
import { masked } from "../entry_bits.ts";
import { classOf, compressedRange, entryProblem, hostOffset } from "../l2_entries.ts";
import type { L2Table } from "../l2_tables.ts";
import type { Mapping } from "../runs.ts";
import { entryBits } from "../structures.ts";

/** Table entries that are read in addition to the number that fits into the file. */
const ENTRY_BUDGET = 2 ** 22;

/** What is wrong with the tables of the active disk, by guest ranges. */
export class TableDamage {
  /** Clusters whose data is past the end of the file. */
  readonly beyond = new FoldedRanges();
  /** L2 tables past the end of the file. */
  readonly tablesBeyond = new FoldedRanges();
  /** L1 entries without a usable offset. */
  readonly l1Entries = new FoldedRanges();
  /** Malformed L2 entries. */
  readonly l2Entries = new FoldedRanges();
  /** L2 tables without any entry. */
  readonly empty = new FoldedRanges();
  /** Host offset of the first of them. */
  emptyAt = 0;
  /** L1 entries that are 0. */
  readonly unallocated = new FoldedRanges();
  /** Bytes of clusters that have an entry. */
  content = 0;
  /** Not all tables were read. */
  isPartial = false;
  readonly #mapping: Mapping;
  readonly #size: number;
  readonly #fileSize: number;

  /** @param size virtual size in bytes */
  constructor(mapping: Mapping, source: Parameters<typeof storedSize>[0], size: number) {
    this.#mapping = mapping;
    this.#size = size;
    this.#fileSize = source.size;
    let budget = ENTRY_BUDGET + storedSize(source);
    const { l1, l2, geometry: { l2Coverage } } = mapping;
    const visible = Math.min(l1.length, Math.ceil(size / l2Coverage));
    for (let index = 0; index < visible;) {
      const next = Math.min(visible, l1.nextNonZero(index));
      this.#add(this.unallocated, index * l2Coverage, (next - index) * l2Coverage);
      if (next === visible) break;
      const table = this.#tableOffset(next);
      if (table !== undefined) {
        const read = l2.at(table);
        budget -= read.stored;
        if (budget < 0) {
          this.isPartial = true;
          break;
        }
        this.#table(read, next * l2Coverage);
      }
      index = next + 1;
    }
  }

  /** Adds a guest range, as far as the disk goes. */
  #add(ranges: FoldedRanges, offset: number, length: number): void {
    ranges.add(offset, Math.min(length, this.#size - offset));
  }

  /** Byte offset of the L2 table of an L1 entry, if it can be read. */
  #tableOffset(index: number): number | undefined {
    const { l1, geometry: { clusterSize, l2Coverage } } = this.#mapping;
    const offset = masked(l1.high(index), l1.low(index), entryBits.l1Offset);
    if (offset !== 0 && offset % clusterSize === 0 && offset < this.#fileSize) return offset;
    const ranges = offset !== 0 && offset % clusterSize === 0 ? this.tablesBeyond : this.l1Entries;
    this.#add(ranges, index * l2Coverage, l2Coverage);
    return undefined;
  }

  #table(table: L2Table, base: number): void {
    const { clusterSize, l2Entries, l2Coverage } = this.#mapping.geometry;
    const visible = Math.min(l2Entries, Math.ceil((this.#size - base) / clusterSize));
    let entry = table.nextNonZero(0);
    if (entry >= table.stored) {
      if (this.empty.count === 0) this.emptyAt = table.offset;
      this.#add(this.empty, base, l2Coverage);
      return;
    }
    for (; entry < Math.min(table.stored, visible); entry = table.nextNonZero(entry + 1)) {
      this.#entry(table, entry, base + entry * clusterSize);
    }
  }

  #entry(table: L2Table, entry: number, guest: number): void {
    const { clusterSize } = this.#mapping.geometry;
    const high = table.high(entry);
    const low = table.low(entry);
    const kind = classOf(high, low, this.#mapping);
    const holdsData = kind === "normal" || kind === "compressed";
    if (holdsData) this.content += clusterSize;
    const place = { guest, path: "", offset: 0 };
    if (entryProblem(table.entry(entry), this.#mapping, place) !== undefined) {
      this.#add(this.l2Entries, guest, clusterSize);
    } else if (holdsData && !this.#mapping.dataFile && this.#isBeyond(kind, high, low)) {
      this.#add(this.beyond, guest, clusterSize);
    }
  }

  #isBeyond(kind: "normal" | "compressed", high: number, low: number): boolean {
    const offset = kind === "normal"
      ? hostOffset(high, low)
      : compressedRange(high, low, this.#mapping.geometry).offset;
    return offset >= this.#fileSize;
  }
}
