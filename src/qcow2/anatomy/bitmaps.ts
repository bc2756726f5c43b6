import { hex } from "../../bytes/mod.ts";
import {
  type AnatomyCollector,
  bytesRows,
  EntryTable,
  imageText,
  type Part,
  REQUEST_END_MAX,
  structRows,
  type TableEntry,
  tableRows,
  textRows,
} from "../../format/mod.ts";
import { type Bitmap, type BitmapDirectory } from "../bitmaps.ts";
import type { Qcow2File } from "../decode.ts";
import type { Geometry } from "../geometry.ts";
import { bitmapHead, bitmapTableEntry, entryBits } from "../structures.ts";
import { entryBytes } from "./guest.ts";

/** Maximum number of bitmaps that are inspected. */
const BITMAPS_MAX = 1024;
/** Maximum number of entries of one bitmap table that are inspected. */
const TABLE_MAX = 2 ** 20;

/** The bitmap directory, and the tables and data of the bitmaps. */
export function bitmapParts(
  file: Qcow2File,
  { directory, geometry }: { directory: BitmapDirectory; geometry: Geometry },
  collector: AnatomyCollector,
): void {
  const { bitmap_directory_offset, bitmap_directory_size } = directory.fields;
  if (bitmap_directory_offset >= REQUEST_END_MAX) return;
  collector.claim({
    path: "/bitmaps",
    offset: Number(bitmap_directory_offset),
    length: Number(bitmap_directory_size),
    kind: "table",
  });
  let unlisted = 0;
  for (const [index, bitmap] of directory.bitmaps.take(BITMAPS_MAX).entries()) {
    const part = entryPart(file, { bitmap, index });
    const { marks, tables } = collector.options;
    if (index < tables || marks.within(part.offset, part.length)) collector.part(part);
    else unlisted++;
    if (!bitmap.fits || bitmap.bitmap_table_offset >= REQUEST_END_MAX) continue;
    tablePart(file, { bitmap, index, geometry }, collector);
  }
  if (unlisted > 0) collector.gap(`${unlisted} more bitmaps are not listed`);
  const left = directory.bitmaps.length - BITMAPS_MAX;
  if (left > 0) collector.unknown(`${left} more bitmaps were not inspected`);
}

interface BitmapAt {
  readonly bitmap: Bitmap;
  readonly index: number;
}

function nameOf({ bitmap, index }: BitmapAt): string {
  return `bitmap ${index}, ${JSON.stringify(imageText(bitmap.name))}`;
}

function entryPart({ source }: Qcow2File, at: BitmapAt): Omit<Part, "omitted"> {
  const { bitmap, index } = at;
  const { offset, extra_data_size, name_size } = bitmap;
  const path = `/bitmap[${index}]`;
  const extraAt = offset + bitmapHead.size;
  const nameAt = extraAt + extra_data_size;
  const extra = { path: `${path}/extra`, offset: extraAt, length: extra_data_size };
  const name = { path: `${path}/name`, offset: nameAt, length: name_size };
  const rows = [
    ...structRows(bitmapHead, source, { offset, path }),
    ...bytesRows(source, extra, "Extra data."),
    ...textRows(source, name, "Name."),
  ];
  return { path, title: nameOf(at), offset, length: bitmap.length, rows };
}

function tablePart(
  { source }: Qcow2File,
  at: BitmapAt & { geometry: Geometry },
  collector: AnatomyCollector,
): void {
  const { bitmap, index } = at;
  const { clusterSize } = at.geometry;
  const path = `/bitmap[${index}]/table`;
  const entries = bitmap.bitmap_table_size;
  const offset = Number(bitmap.bitmap_table_offset);
  const place = { path, offset, length: entries * bitmapTableEntry.size };
  collector.claim({ ...place, kind: "table" });
  const read = () => new EntryTable(source, offset, Math.min(entries, TABLE_MAX));
  const table = read();
  if (!collector.spend(table.stored)) return;
  const covers = clusterSize * 8 * 2 ** bitmap.granularity_bits;
  const says = (i: number) => `guest ${hex(i * covers)}`;
  const claiming = { path, says: (i: number) => `bits for ${says(i)}` };
  for (let i = table.nextNonZero(0); i < table.length; i = table.nextNonZero(i + 1)) {
    const data = Number(table.value(i) & entryBits.bitmapOffset.mask);
    const claim = { table: claiming, index: i, offset: data, length: clusterSize };
    if (data !== 0) collector.claimEntry({ ...claim, kind: "data" });
  }
  const { marks, tables } = collector.options;
  if (index >= tables && !marks.within(place.offset, place.length)) return;
  const title = `table of ${nameOf(at)}, ${entries} entries`;
  const rows = () => tableEntries(read(), { clusterSize, says });
  collector.part({ ...place, title, ...tableRows(path, rows, collector.options) });
}

function* tableEntries(
  table: EntryTable,
  { clusterSize, says }: { clusterSize: number; says: (index: number) => string },
): Generator<TableEntry> {
  for (let i = table.nextNonZero(0); i < table.length; i = table.nextNonZero(i + 1)) {
    const entry = table.value(i);
    const data = Number(entry & entryBits.bitmapOffset.mask);
    const ones = (entry & entryBits.bitmapAllOnes.mask) !== 0n;
    const reserved = entry & entryBits.bitmapReserved.mask;
    yield {
      index: i,
      offset: table.offsetOf(i),
      bytes: entryBytes([[table.high(i), table.low(i)]]),
      says: data !== 0 ? "bits" : ones ? "all ones" : "all zeros",
      ...(data === 0 ? {} : { target: { offset: data, step: clusterSize } }),
      flags: [
        ...(data !== 0 && ones ? ["all_ones"] : []),
        ...(reserved === 0n ? [] : [`reserved bits ${hex(reserved)}`]),
      ].join(", "),
      doc: () => says(i),
    };
  }
}
