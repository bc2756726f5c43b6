import { hex } from "../../bytes/mod.ts";
import {
  type AnatomyCollector,
  type ClaimingTable,
  EntryTable,
  REQUEST_END_MAX,
  type TableEntry,
  tableRows,
} from "../../format/mod.ts";
import { classOf, compressedRange, type EntryContext, hostOffset } from "../l2_entries.ts";
import type { Qcow2File } from "../decode.ts";
import type { Geometry } from "../geometry.ts";
import { L2Table } from "../l2_tables.ts";
import { anyBit, joined, masked } from "../entry_bits.ts";
import { entryBits, l1Entry, limits } from "../structures.ts";

/** Maximum number of L1 entries that are inspected. */
const L1_MAX = limits.l1Table / l1Entry.size;

/** An L1 table and its title. */
export interface View {
  /** `/` for the active image, `/snapshot[n]/` for a snapshot. */
  readonly path: string;
  readonly title: string;
  readonly offset: bigint;
  /** Number of entries, as stored in the image. */
  readonly entries: number;
}

/** Collects L1 tables, L2 tables and guest clusters. A shared table is listed once. */
export class GuestTables {
  readonly #file: Qcow2File;
  readonly #context: EntryContext;
  readonly #collector: AnatomyCollector;
  readonly #seen = new Set<number>();
  #listed = 0;

  constructor(file: Qcow2File, context: EntryContext, collector: AnatomyCollector) {
    this.#file = file;
    this.#context = context;
    this.#collector = collector;
  }

  /** Adds an L1 table and everything that it points to. */
  add(view: View): void {
    const { source } = this.#file;
    if (view.entries === 0 || view.offset >= REQUEST_END_MAX) return;
    const read = () => new EntryTable(source, Number(view.offset), Math.min(view.entries, L1_MAX));
    const table = read();
    const path = `${view.path}l1`;
    const place = { path, offset: table.offset, length: view.entries * l1Entry.size };
    this.#collector.claim({ ...place, kind: "table" });
    if (!this.#collector.spend(table.stored)) return;
    this.#collector.part({
      ...place,
      title: `${view.title}, ${view.entries} entries`,
      ...tableRows(path, () => this.#l1Entries(read()), this.#collector.options),
    });
    for (let i = table.nextNonZero(0); i < table.length; i = table.nextNonZero(i + 1)) {
      const offset = masked(table.high(i), table.low(i), entryBits.l1Offset);
      if (offset === 0 || this.#seen.has(offset)) continue;
      this.#seen.add(offset);
      if (!this.#addL2(offset, { path: `${view.path}l2[${i}]`, index: i })) return;
    }
  }

  *#l1Entries(table: EntryTable): Generator<TableEntry> {
    const { clusterSize, l2Coverage } = this.#context.geometry;
    for (let i = table.nextNonZero(0); i < table.length; i = table.nextNonZero(i + 1)) {
      const high = table.high(i);
      const low = table.low(i);
      const offset = masked(high, low, entryBits.l1Offset);
      yield {
        index: i,
        offset: table.offsetOf(i),
        bytes: entryBytes([[high, low]]),
        says: offset === 0 ? "no L2 table" : "L2 table",
        ...(offset === 0 ? {} : { target: { offset, step: clusterSize } }),
        flags: flagsOf(high, low, entryBits.l1Reserved),
        doc: () => `guest ${hex(i * l2Coverage)}`,
      };
    }
  }

  /** Adds an L2 table. Returns whether there is room for more. */
  #addL2(offset: number, at: { path: string; index: number }): boolean {
    const { geometry } = this.#context;
    const { clusterSize, l2Coverage, l2Entries } = geometry;
    const collector = this.#collector;
    const place = { path: at.path, offset, length: clusterSize };
    collector.claim({ ...place, kind: "table" });
    const table = new L2Table(this.#file.source, offset, geometry);
    if (!collector.spend(table.stored)) return false;
    const listed = this.#listed < collector.options.tables ||
      collector.options.marks.within(offset, clusterSize);
    const says = (index: number) => `guest ${hex(at.index * l2Coverage + index * clusterSize)}`;
    if (!this.#context.dataFile) this.#claimEntries(table, { path: at.path, says });
    if (!listed) {
      collector.gap("Not every L2 table is listed");
      return true;
    }
    this.#listed++;
    const title = `L2 table, ${l2Entries} entries, guest ${hex(at.index * l2Coverage)}`;
    const rows = () => this.#l2Entries(new L2Table(this.#file.source, offset, geometry), says);
    collector.part({ ...place, title, ...tableRows(at.path, rows, collector.options) });
    return true;
  }

  /** Claims the clusters that the entries of an L2 table point to. */
  #claimEntries(table: L2Table, claiming: ClaimingTable): void {
    for (let i = table.nextNonZero(0); i < table.stored; i = table.nextNonZero(i + 1)) {
      const meaning = meaningOf(table.entry(i), this.#context);
      const { kind, length, target } = meaning;
      if (length === undefined || target === undefined) continue;
      const { offset } = target;
      const count = sequenceFrom(table, i, meaning);
      const claim = { table: claiming, index: i, count, offset, length: count * length, kind };
      this.#collector.claimEntry(claim);
      i += count - 1;
    }
  }

  *#l2Entries(table: L2Table, says: (index: number) => string): Generator<TableEntry> {
    const { marks } = this.#collector.options;
    for (let next = table.nextNonZero(0); next < table.stored;) {
      const i = next;
      const entry = table.entry(i);
      const meaning = meaningOf(entry, this.#context);
      const offset = table.offsetOf(i);
      const bytes = entryBytes(wordsOf(entry, this.#context.geometry));
      const count = marks.unmarked(offset, sequenceFrom(table, i, meaning), bytes.length);
      yield {
        index: i,
        count,
        offset,
        bytes,
        says: meaning.says,
        ...(meaning.target === undefined ? {} : { target: meaning.target }),
        flags: meaning.flags,
        ...(meaning.kind === "compressed" ? { detail: `up to ${meaning.length} bytes` } : {}),
        doc: () => says(i),
      };
      next = table.nextNonZero(i + count);
    }
  }
}

type Entry = ReturnType<L2Table["entry"]>;

interface Meaning {
  readonly says: string;
  readonly kind: "data" | "compressed";
  readonly target?: { offset: number; step: number; loose?: boolean };
  /** Number of bytes of the file that it claims. */
  readonly length?: number;
  readonly flags: string;
}

/** A number of entries from `index` on that continue each other, at least 1. */
function sequenceFrom(table: L2Table, index: number, { kind, target }: Meaning): number {
  return kind === "compressed" || target === undefined ? 1 : table.sequence(index);
}

/** The meaning of an L2 entry, valid or not. */
function meaningOf(entry: Entry, context: EntryContext): Meaning {
  const { high, low } = entry;
  const { geometry } = context;
  const { clusterSize } = geometry;
  const kind = classOf(high, low, context);
  if (kind === "compressed") {
    const { offset, length } = compressedRange(high, low, geometry);
    const flags = (high & entryBits.copied.high) !== 0 ? "copied" : "";
    const target = { offset, step: length, loose: true };
    return { says: "compressed data", kind: "compressed", target, length, flags };
  }
  const flags = [flagsOf(high, low, entryBits.l2Reserved), ...subclusters(entry, geometry)]
    .filter((flag) => flag !== "").join(", ");
  if (kind === "unallocated") return { says: "nothing", kind: "data", flags };
  if (kind === "zero-plain") return { says: "zeros", kind: "data", flags };
  const target = { offset: hostOffset(high, low), step: clusterSize };
  const says = kind === "normal" ? "data" : "zeros, and a cluster";
  return { says, kind: "data", target, length: clusterSize, flags };
}

function subclusters({ allocated, zero }: Entry, geometry: Geometry): string[] {
  if (!geometry.extendedL2) return [];
  return [
    ...(allocated === 0 ? [] : [`subclusters ${hex(allocated >>> 0)} allocated`]),
    ...(zero === 0 ? [] : [`subclusters ${hex(zero >>> 0)} zero`]),
  ];
}

function flagsOf(
  high: number,
  low: number,
  reserved: typeof entryBits.l1Reserved,
): string {
  const copied = (high & entryBits.copied.high) !== 0 ? ["copied"] : [];
  if (!anyBit(high, low, reserved)) return copied.join();
  const bits = joined((high & reserved.high) >>> 0, (low & reserved.low) >>> 0);
  return [...copied, `reserved bits ${hex(bits)}`].join(", ");
}

function wordsOf(entry: Entry, geometry: Geometry): [number, number][] {
  const { high, low, zero, allocated } = entry;
  return geometry.extendedL2 ? [[high, low], [zero, allocated]] : [[high, low]];
}

/** Table entries as they are stored, from their halves. */
export function entryBytes(words: readonly (readonly [number, number])[]): Uint8Array {
  const bytes = new Uint8Array(words.length * l1Entry.size);
  let at = 0;
  for (const [high, low] of words) {
    for (let shift = 24; shift >= 0; shift -= 8) {
      bytes[at] = high >>> shift;
      bytes[4 + at++] = low >>> shift;
    }
    at += 4;
  }
  return bytes;
}
