import { type ByteSource, hex } from "../../bytes/mod.ts";
import {
  type Anatomy,
  AnatomyCollector,
  type AnatomyOptions,
  structRows,
  TableRows,
  textRows,
} from "../../format/mod.ts";
import { decodeQcow1, type Qcow1File } from "../decode.ts";
import { compressedExtent, type Entry, isZero, kindOf, offsetOf, valueOf } from "../entry.ts";
import { type Geometry, l1Bytes } from "../geometry.ts";
import { Qcow1Image } from "../image.ts";
import { header as headerStruct, l1Entry, l2Entry, limits } from "../structures.ts";
import { EntryTable } from "../entry_table.ts";

/** Offsets from here on are not looked at: no file is as long. */
const FAR = 2 ** 53;

/**
 * What a qcow version 1 image is made of: structures with their fields, and what claims which part of
 * the file. Total, whatever the image says; nothing is judged.
 */
export function qcow1Anatomy(source: ByteSource, options: AnatomyOptions): Anatomy {
  const collector = new AnatomyCollector(options);
  const file = decodeQcow1(source);
  const place = { path: "/header", offset: 0, length: headerStruct.size };
  const rows = structRows(headerStruct, source, place);
  collector.part({ ...place, title: `header of version ${file.header.version}`, rows });
  collector.claim({ ...place, kind: "header" });
  backingName(file, collector);
  if (file.geometry === undefined) {
    collector.unknown("The header does not say how large clusters are: nothing else can be found");
  } else {
    new Tables(new Qcow1Image(file, file.geometry), collector).add();
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
  readonly #collector: AnatomyCollector;
  readonly #seen = new Set<number>();
  #listed = 0;

  constructor(image: Qcow1Image, collector: AnatomyCollector) {
    this.#image = image;
    this.#geometry = image.geometry;
    this.#collector = collector;
  }

  add(): void {
    const { l1, l1Offset } = this.#image;
    const collector = this.#collector;
    const place = { path: "/l1", offset: Number(l1Offset), length: l1Bytes(l1.length) };
    if (place.offset >= FAR) return;
    collector.claim({ ...place, kind: "table" });
    if (!collector.spend(l1.stored)) return;
    const { rows, tables } = this.#l1();
    collector.part({ ...place, title: `L1 table, ${l1.length} entries`, ...rows });
    for (const [offset, index] of tables) {
      if (!this.#addL2(offset, index)) return;
    }
  }

  /** The rows of the L1 table, and the L2 tables by their offsets, each with its first L1 index. */
  #l1() {
    const { l1, l1Offset } = this.#image;
    const { l2Size, l2Coverage } = this.#geometry;
    const rows = new TableRows("/l1", this.#collector.options);
    const tables = new Map<number, number>();
    for (let i = l1.nextUsed(0, l1.length); i < l1.length; i = l1.nextUsed(i + 1, l1.length)) {
      const entry = l1.entry(i);
      const offset = offsetOf(entry);
      if (!this.#seen.has(offset) && offset < FAR) {
        this.#seen.add(offset);
        tables.set(offset, i);
      }
      rows.add({
        index: i,
        offset: Number(l1Offset) + i * l1Entry.size,
        bytes: entryBytes(entry),
        says: "L2 table",
        target: { offset, step: l2Size },
        doc: () => `guest ${hex(i * l2Coverage)}`,
      });
    }
    return { rows: rows.done(), tables };
  }

  /** Adds an L2 table; gives back whether there is room for more. */
  #addL2(offset: number, l1Index: number): boolean {
    const { l2Size, l2Entries, l2Coverage, clusterSize } = this.#geometry;
    const collector = this.#collector;
    const path = `/l2[${l1Index}]`;
    const place = { path, offset, length: l2Size };
    collector.claim({ ...place, kind: "table" });
    const table = new EntryTable(this.#image.source, offset, l2Entries);
    if (!collector.spend(table.stored)) return false;
    const marked = collector.options.marks.within(offset, l2Size);
    const listed = this.#listed < collector.options.tables || marked;
    const rows = listed ? new TableRows(path, collector.options) : undefined;
    for (let i = table.nextUsed(0, l2Entries); i < l2Entries;) {
      const guest = l1Index * l2Coverage + i * clusterSize;
      const at = { path, index: i, guest, offset: offset + i * l2Entry.size };
      this.#addL2Entry(table.entry(i), at, rows);
      i = table.nextUsed(i + 1, l2Entries);
    }
    if (rows === undefined) {
      collector.gap("Not every L2 table is listed");
      return true;
    }
    this.#listed++;
    const title = `L2 table, ${l2Entries} entries, guest ${hex(l1Index * l2Coverage)}`;
    collector.part({ ...place, title, ...rows.done() });
    return true;
  }

  #addL2Entry(
    entry: Entry,
    at: { path: string; index: number; guest: number; offset: number },
    rows: TableRows | undefined,
  ): void {
    const compressed = kindOf(entry) === "compressed";
    const { offset, length } = compressed
      ? compressedExtent(entry, this.#geometry.clusterBits)
      : { offset: offsetOf(entry), length: this.#geometry.clusterSize };
    const says = () => `guest ${hex(at.guest)}`;
    const kind = compressed ? "compressed" : "data";
    if (offset < FAR) {
      this.#collector.claimEntry({ table: at.path, index: at.index, offset, length, kind, says });
    }
    rows?.add({
      index: at.index,
      offset: at.offset,
      bytes: entryBytes(entry),
      says: compressed ? "compressed data" : "data",
      target: { offset, step: length, loose: compressed },
      ...(compressed ? { detail: `${length} bytes` } : {}),
      doc: says,
    });
  }
}

/** A table entry as it is stored. */
function entryBytes(entry: Entry): Uint8Array {
  const view = new DataView(new ArrayBuffer(l1Entry.size));
  if (!isZero(entry)) view.setBigUint64(0, valueOf(entry));
  return new Uint8Array(view.buffer);
}
