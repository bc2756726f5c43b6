import { type ByteSource, readUpTo, roundUp, SECTOR, WindowSource } from "../../bytes/mod.ts";
import { plainText, type WorkBudget } from "../../format/mod.ts";
import { decode } from "../../layout/mod.ts";
import { decodeLuks1, luks1Driver } from "../../luks1/mod.ts";
import { BITMAP_ALIGNMENT } from "../bitmaps.ts";
import { decodeSnapshots, type Snapshot, SNAPSHOT_ALIGNMENT } from "../snapshots.ts";
import { bitmapHead, bitmapTypes, l1Entry, limits, snapshotHead } from "../structures.ts";
import type { Candidate } from "./candidate.ts";

/** The tables to which the header leads besides the L1 table and the refcount table. */
export type OtherTables = Pick<Candidate, "snapshots" | "directory" | "luks">;

/** Places that are looked at: an image has few that nothing refers to. */
const OFFSETS_MAX = 2 ** 12;
/** What a place costs, in table entries. */
const PLACE_WORK = SECTOR / l1Entry.size;

/** Looks for other tables at the start of clusters that nothing refers to. */
export function findOtherTables(
  source: ByteSource,
  offsets: readonly number[],
  { clusterSize, work }: { readonly clusterSize: number; readonly work: WorkBudget },
): OtherTables {
  const found: { -readonly [Name in keyof OtherTables]: OtherTables[Name] } = {};
  for (const offset of offsets.slice(0, OFFSETS_MAX)) {
    work.left -= PLACE_WORK;
    const snapshots = found.snapshots ?? snapshotsAt(source, offset, clusterSize);
    if (snapshots !== undefined) found.snapshots = snapshots;
    const directory = found.directory ?? directoryAt(source, offset, clusterSize);
    if (directory !== undefined) found.directory = directory;
    const luks = found.luks ?? luksAt(source, offset);
    if (luks !== undefined) found.luks = luks;
  }
  return found;
}

/** The clusters of tables to which snapshots and bitmaps lead. */
export function clustersOf(
  source: ByteSource,
  { snapshots, directory }: OtherTables,
  clusterSize: number,
): Set<number> {
  const clusters = new Set<number>();
  const add = (offset: number, length: number): void => {
    const end = Math.min(offset + length, source.size);
    for (let at = offset; at < end; at += clusterSize) clusters.add(at);
  };
  if (snapshots !== undefined) {
    for (const { l1_table_offset, l1_size } of entriesAt(source, snapshots, clusterSize)) {
      add(Number(l1_table_offset), l1_size * l1Entry.size);
    }
  }
  if (directory !== undefined) {
    for (const bitmap of bitmapsAt(source, directory.offset, clusterSize)) {
      add(Number(bitmap.bitmap_table_offset), bitmap.bitmap_table_size * l1Entry.size);
    }
  }
  return clusters;
}

/** The entries of a snapshot table. */
export function entriesAt(
  source: ByteSource,
  { offset, count }: { offset: number; count: number },
  clusterSize: number,
): Snapshot[] {
  const found: Snapshot[] = [];
  for (let at = offset; found.length < count;) {
    const { snapshots, length } = decodeSnapshots(source, {
      offset: at,
      count: 1,
      maxExtra: limits.snapshotExtra,
      maxLength: Infinity,
    });
    const snapshot = snapshots.at(0);
    if (snapshot === undefined || !isSnapshot(snapshot, source, clusterSize)) break;
    found.push(snapshot);
    at = roundUp(at + length, SNAPSHOT_ALIGNMENT);
  }
  return found;
}

function snapshotsAt(
  source: ByteSource,
  offset: number,
  clusterSize: number,
): OtherTables["snapshots"] {
  const head = decode(snapshotHead, readUpTo(source, offset, snapshotHead.size));
  if (!leads(head.l1_table_offset, source, clusterSize)) return undefined;
  const count = entriesAt(source, { offset, count: limits.snapshots }, clusterSize).length;
  return count === 0 ? undefined : { offset, count };
}

function isSnapshot(snapshot: Snapshot, source: ByteSource, clusterSize: number): boolean {
  const { l1_table_offset, l1_size, extra_data_size, id, name } = snapshot;
  return leads(l1_table_offset, source, clusterSize) && l1_size * l1Entry.size <= limits.l1Table &&
    extra_data_size <= limits.snapshotExtra && id.length > 0 && plainText(id) !== undefined &&
    plainText(name) !== undefined;
}

function directoryAt(
  source: ByteSource,
  offset: number,
  clusterSize: number,
): OtherTables["directory"] {
  const bitmaps = bitmapsAt(source, offset, clusterSize);
  const length = bitmaps.reduce((sum, bitmap) => sum + bitmap.length, 0);
  return bitmaps.length === 0 ? undefined : { offset, length, count: bitmaps.length };
}

interface FoundBitmap {
  readonly bitmap_table_offset: bigint;
  readonly bitmap_table_size: number;
  readonly length: number;
}

function bitmapsAt(source: ByteSource, offset: number, clusterSize: number): FoundBitmap[] {
  const found: FoundBitmap[] = [];
  for (let at = offset; found.length < limits.bitmaps;) {
    const head = decode(bitmapHead, readUpTo(source, at, bitmapHead.size));
    const name = readUpTo(source, at + bitmapHead.size + head.extra_data_size, head.name_size);
    const { min, max } = limits.granularityBits;
    const sound = leads(head.bitmap_table_offset, source, clusterSize) &&
      head.type === bitmapTypes.dirtyTracking && head.bitmap_table_size > 0 &&
      head.granularity_bits >= min && head.granularity_bits <= max &&
      head.name_size > 0 && head.name_size <= limits.bitmapName &&
      plainText(name) !== undefined;
    if (!sound) break;
    const length = roundUp(
      bitmapHead.size + head.extra_data_size + head.name_size,
      BITMAP_ALIGNMENT,
    );
    found.push({ ...head, length });
    at += length;
  }
  return found;
}

function luksAt(source: ByteSource, offset: number): OtherTables["luks"] {
  if (!luks1Driver.probe(readUpTo(source, offset, SECTOR))) return undefined;
  const { payload_offset } = decodeLuks1(new WindowSource(source, offset));
  return { offset, length: payload_offset * SECTOR };
}

function leads(offset: bigint, source: ByteSource, clusterSize: number): boolean {
  return offset >= BigInt(clusterSize) && offset < BigInt(source.size) &&
    offset % BigInt(clusterSize) === 0n;
}
