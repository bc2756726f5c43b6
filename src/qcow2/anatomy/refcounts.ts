import { hex, readUpTo } from "../../bytes/mod.ts";
import {
  type AnatomyCollector,
  type AnatomyOptions,
  EntryTable,
  REQUEST_END_MAX,
  type TableEntry,
  tableRows,
} from "../../format/mod.ts";
import { readUint } from "../../layout/mod.ts";
import { refcountAt, sameRefcounts } from "../check/refcounts.ts";
import type { Qcow2File } from "../decode.ts";
import type { Geometry } from "../geometry.ts";
import { entryBits, limits, refcountTableEntry } from "../structures.ts";
import { entryBytes } from "./guest.ts";

/** The refcount table and its blocks. */
export function refcountParts(
  file: Qcow2File,
  geometry: Geometry,
  collector: AnatomyCollector,
): void {
  const { refcount_table_offset: offset, refcount_table_clusters: clusters } = file.header;
  if (clusters === 0 || offset >= REQUEST_END_MAX) return;
  const length = clusters * geometry.clusterSize;
  const entries = Math.min(length, limits.refcountTable) / refcountTableEntry.size;
  const table = new EntryTable(file.source, Number(offset), entries);
  const place = { path: "/reftable", offset: table.offset, length };
  collector.claim({ ...place, kind: "table" });
  if (!collector.spend(table.stored)) return;
  collector.part({
    ...place,
    title: `refcount table, ${length / refcountTableEntry.size} entries`,
    ...tableRows(
      place.path,
      () => tableEntries(new EntryTable(file.source, table.offset, entries), geometry),
      collector.options,
    ),
  });
  let listed = 0;
  for (let i = table.nextNonZero(0); i < table.length; i = table.nextNonZero(i + 1)) {
    const block = table.value(i) & entryBits.refblockOffset.mask;
    if (block === 0n || block >= REQUEST_END_MAX) continue;
    const at = { path: `/refblock[${i}]`, offset: Number(block), length: geometry.clusterSize };
    collector.claim({ ...at, kind: "table" });
    const { marks, tables } = collector.options;
    const wanted = listed < tables || marks.within(at.offset, at.length);
    if (wanted && blockPart(file, { ...at, index: i, geometry }, collector)) listed++;
    else collector.gap("Not every refcount block is listed");
  }
}

function* tableEntries(table: EntryTable, geometry: Geometry): Generator<TableEntry> {
  const { clusterSize, refblockEntries } = geometry;
  for (let i = table.nextNonZero(0); i < table.length; i = table.nextNonZero(i + 1)) {
    const entry = table.value(i);
    const reserved = entry & entryBits.refblockReserved.mask;
    const offset = Number(entry & entryBits.refblockOffset.mask);
    yield {
      index: i,
      offset: table.offsetOf(i),
      bytes: entryBytes([[table.high(i), table.low(i)]]),
      says: "refcount block",
      target: { offset, step: clusterSize },
      flags: reserved === 0n ? "" : `reserved bits ${hex(reserved)}`,
      doc: () => `clusters from ${hex(i * refblockEntries * clusterSize)} on`,
    };
  }
}

interface BlockAt {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  readonly index: number;
  readonly geometry: Geometry;
}

/** Adds a refcount block. Returns whether there was room for it. */
function blockPart(file: Qcow2File, at: BlockAt, collector: AnatomyCollector): boolean {
  const { path, offset, length } = at;
  const { refblockEntries, refcountBits } = at.geometry;
  const stored = Math.max(0, Math.min(length, file.source.size - offset));
  const entries = Math.min(refblockEntries, Math.ceil(stored * 8 / refcountBits));
  if (!collector.trySpending(entries)) return false;
  const title = `refcount block, ${refblockEntries} refcounts of ${refcountBits} bits`;
  const { options } = collector;
  const rows = tableRows(path, () => blockEntries(file, { ...at, entries }, options), options);
  collector.part({ path, offset, length, title, ...rows });
  return true;
}

function* blockEntries(
  file: Qcow2File,
  at: BlockAt & { readonly entries: number },
  { marks }: AnatomyOptions,
): Generator<TableEntry> {
  const { offset, length, entries } = at;
  const { refblockEntries, refcountBits, clusterSize } = at.geometry;
  const stored = readUpTo(file.source, offset, length);
  const first = at.index * refblockEntries;
  const width = Math.max(1, refcountBits / 8);
  for (let next = 0; next < entries;) {
    const i = next;
    const from = Math.floor(i * refcountBits / 8);
    const bytes = stored.subarray(from, from + width);
    const same = sameRefcounts(stored, i, { bits: refcountBits, most: entries - i });
    const refcount = refcountBits < 8
      ? BigInt(refcountAt(stored, i, refcountBits))
      : readUint(bytes, 0, bytes.length);
    const count = refcount === 0n ? same : marks.unmarked(offset + from, same, width);
    next = i + count;
    if (refcount === 0n) continue;
    const says = `refcount ${refcount}`;
    const doc = () => `cluster at ${hex((first + i) * clusterSize)}`;
    yield { index: i, count, offset: offset + from, bytes, says, doc };
  }
}
