import { type ByteSource, hex } from "../../bytes/mod.ts";
import {
  type Anatomy,
  AnatomyCollector,
  type AnatomyOptions,
  EntryTable,
  structRows,
  type TableEntry,
  tableRows,
  textRows,
} from "../../format/mod.ts";
import { decodeQcow1, type Qcow1File } from "../decode.ts";
import { compressedExtent, type Entry, isZero, kindOf, offsetOf, valueOf } from "../entry.ts";
import { type Geometry, l1Bytes, l1Needed } from "../geometry.ts";
import { Qcow1Image } from "../image.ts";
import { header as headerStruct, l1Entry, l2Entry, limits } from "../structures.ts";

/** Offsets from here on are ignored: no file is that long. */
const FAR = 2 ** 53;

/**
 * The anatomy of a qcow version 1 image: its structures with their fields, and the use of each part of
 * the file. Works for any input; nothing is judged.
 */
export function qcow1Anatomy(source: ByteSource, options: AnatomyOptions): Anatomy {
  const collector = new AnatomyCollector(options, source);
  const file = decodeQcow1(source);
  const place = { path: "/header", offset: 0, length: headerStruct.size };
  const rows = structRows(headerStruct, source, place);
  collector.part({ ...place, title: `header of version ${file.header.version}`, rows });
  collector.claim({ ...place, kind: "header" });
  backingName(file, collector);
  if (file.geometry === undefined) {
    collector.unknown(
      "The header has no valid cluster size: the rest of the image cannot be inspected",
    );
  } else {
    new Tables(new Qcow1Image(file, file.geometry), collector, file.header.size).add();
  }
  return collector.done();
}

function backingName({ source, header }: Qcow1File, collector: AnatomyCollector): void {
  const { backing_file_offset, backing_file_size } = header;
  if (backing_file_offset === 0n || backing_file_offset >= BigInt(source.size)) return;
  const place = {
    path: "/backing_file_name",
    offset: Number(backing_file_offset),
    length: Math.min(backing_file_size, limits.nameLength.max),
  };
  const rows = textRows(source, place, "Name of the backing file.");
  collector.claim({ ...place, kind: "header" });
  if (rows.length > 0) collector.part({ ...place, title: "backing file name", rows });
}

/** Collects the L1 table, the L2 tables and the guest clusters. */
class Tables {
  readonly #image: Qcow1Image;
  readonly #geometry: Geometry;
  readonly #l1: EntryTable;
  readonly #collector: AnatomyCollector;
  readonly #seen = new Set<number>();
  #listed = 0;

  /** @param size that of the header: the table covers all of it, and the disk only whole sectors */
  constructor(image: Qcow1Image, collector: AnatomyCollector, size: bigint) {
    const entries = Number(l1Needed(size, image.geometry));
    this.#image = image;
    this.#geometry = image.geometry;
    this.#collector = collector;
    this.#l1 = new EntryTable(image.source, Number(image.l1Offset), entries);
  }

  add(): void {
    const l1 = this.#l1;
    const { l1Offset } = this.#image;
    const collector = this.#collector;
    const length = l1Bytes(l1.length);
    const place = { path: "/l1", offset: Number(l1Offset), length };
    if (place.offset >= FAR) return;
    collector.claim({ ...place, kind: "table" });
    if (!collector.spend(l1.stored)) return;
    const rows = tableRows(place.path, () => this.#l1Entries(), collector.options);
    collector.part({ ...place, title: `L1 table, ${l1.length} entries`, ...rows });
    for (
      let i = l1.nextNonZero(0, l1.length);
      i < l1.length;
      i = l1.nextNonZero(i + 1, l1.length)
    ) {
      const offset = offsetOf(l1.entry(i));
      if (this.#seen.has(offset) || offset >= FAR) continue;
      this.#seen.add(offset);
      if (!this.#addL2(offset, i)) return;
    }
  }

  *#l1Entries(): Generator<TableEntry> {
    const l1 = this.#l1;
    const { l1Offset } = this.#image;
    const { l2Size, l2Coverage } = this.#geometry;
    for (
      let i = l1.nextNonZero(0, l1.length);
      i < l1.length;
      i = l1.nextNonZero(i + 1, l1.length)
    ) {
      const entry = l1.entry(i);
      yield {
        index: i,
        offset: Number(l1Offset) + i * l1Entry.size,
        bytes: entryBytes(entry),
        says: "L2 table",
        target: { offset: offsetOf(entry), step: l2Size },
        doc: () => `guest ${hex(i * l2Coverage)}`,
      };
    }
  }

  /** Adds an L2 table. Returns whether there is room for more. */
  #addL2(offset: number, l1Index: number): boolean {
    const { l2Size, l2Entries, l2Coverage, clusterSize } = this.#geometry;
    const collector = this.#collector;
    const path = `/l2[${l1Index}]`;
    const place = { path, offset, length: l2Size };
    collector.claim({ ...place, kind: "table" });
    const read = () => new EntryTable(this.#image.source, offset, l2Entries);
    const table = read();
    if (!collector.spend(table.stored)) return false;
    const says = (index: number) => `guest ${hex(l1Index * l2Coverage + index * clusterSize)}`;
    const claiming = { path, says };
    for (const [index, entry] of this.#used(table)) {
      const place = this.#placeOf(entry);
      if (place.offset < FAR) collector.claimEntry({ table: claiming, index, ...place });
    }
    const marked = collector.options.marks.within(offset, l2Size);
    if (this.#listed >= collector.options.tables && !marked) {
      collector.gap("Not every L2 table is listed");
      return true;
    }
    this.#listed++;
    const title = `L2 table, ${l2Entries} entries, guest ${hex(l1Index * l2Coverage)}`;
    const rows = () => this.#l2Entries(read(), { offset, says });
    collector.part({ ...place, title, ...tableRows(path, rows, collector.options) });
    return true;
  }

  *#used(table: EntryTable): Generator<[number, Entry]> {
    const { l2Entries } = this.#geometry;
    let i = table.nextNonZero(0, l2Entries);
    for (; i < l2Entries; i = table.nextNonZero(i + 1, l2Entries)) yield [i, table.entry(i)];
  }

  *#l2Entries(
    table: EntryTable,
    at: { offset: number; says: (index: number) => string },
  ): Generator<TableEntry> {
    for (const [index, entry] of this.#used(table)) {
      const { offset, length, kind } = this.#placeOf(entry);
      const compressed = kind === "compressed";
      yield {
        index,
        offset: at.offset + index * l2Entry.size,
        bytes: entryBytes(entry),
        says: compressed ? "compressed data" : "data",
        target: { offset, step: length, loose: compressed },
        ...(compressed ? { detail: `${length} bytes` } : {}),
        doc: () => at.says(index),
      };
    }
  }

  /** Where the cluster of an L2 entry is. */
  #placeOf(entry: Entry): { offset: number; length: number; kind: "data" | "compressed" } {
    const { clusterBits, clusterSize } = this.#geometry;
    return kindOf(entry) === "compressed"
      ? { ...compressedExtent(entry, clusterBits), kind: "compressed" }
      : { offset: offsetOf(entry), length: clusterSize, kind: "data" };
  }
}

/** A table entry as it is stored. */
function entryBytes(entry: Entry): Uint8Array {
  const view = new DataView(new ArrayBuffer(l1Entry.size));
  if (!isZero(entry)) view.setBigUint64(0, valueOf(entry));
  return new Uint8Array(view.buffer);
}
