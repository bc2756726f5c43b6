import { roundDown, roundUp } from "../../bytes/mod.ts";
import { ALL_SUBCLUSTERS, pointerWords } from "../encode/entries.ts";
import { entryBits } from "../structures.ts";
import { classOf, hostOffset, type L2Entry } from "../l2_entries.ts";
import {
  type GuestCluster,
  readCluster,
  stateOf,
  writeStored,
  writeUnit,
} from "./cluster_content.ts";
import { EntryChanges } from "./entry_changes.ts";
import type { WritableImage } from "./image.ts";
import { ActiveTables } from "./tables.ts";

/** Bytes that are written between two barriers; one cluster if that is larger. */
const BATCH_BYTES = 2 ** 22;

/** A part of a guest cluster that is written. Positions are relative to the start of the cluster. */
export interface ClusterPart extends GuestCluster {
  readonly from: number;
  readonly to: number;
}

/** The parts of a range by cluster, with the entries as they are now. */
export function partsOf(image: WritableImage, offset: number, length: number): ClusterPart[] {
  const { clusterSize, l2Entries } = image.geometry;
  const tables = new ActiveTables(image);
  const parts: ClusterPart[] = [];
  const end = offset + length;
  for (let cluster = Math.floor(offset / clusterSize); cluster * clusterSize < end;) {
    const last = Math.ceil(end / clusterSize);
    const count = Math.min(last - cluster, l2Entries - cluster % l2Entries);
    const table = tables.table(Math.floor(cluster / l2Entries));
    for (const entry of tables.entries(table, cluster % l2Entries, count)) {
      const guest = cluster * clusterSize;
      const from = Math.max(0, offset - guest);
      parts.push({ guest, entry, from, to: Math.min(clusterSize, end - guest) });
      cluster++;
    }
  }
  return parts;
}

/** The pieces of a range that are changed between two barriers. They end at ends of clusters. */
export function* batchesOf(
  image: WritableImage,
  [offset, end]: readonly [number, number],
  batch: number = BATCH_BYTES,
): Generator<readonly [from: number, to: number]> {
  const step = Math.max(batch, image.geometry.clusterSize);
  for (let at = offset; at < end;) {
    const next = Math.min(end, roundDown(at, step) + step);
    yield [at, next];
    at = next;
  }
}

/** Writes bytes of the guest. */
export function writeGuest(image: WritableImage, offset: number, bytes: Uint8Array): void {
  for (const [from, to] of batchesOf(image, [offset, offset + bytes.length])) {
    writeBatch(image, from, bytes.subarray(from - offset, to - offset));
  }
}

function writeBatch(image: WritableImage, offset: number, bytes: Uint8Array): void {
  const { clusterSize } = image.geometry;
  const parts = partsOf(image, offset, bytes.length);
  const moved = image.dataFile === undefined
    ? parts.filter(({ entry }) => !isInPlace(image, entry)).length
    : 0;
  let next = moved === 0 ? 0 : image.allocate(moved) * clusterSize;
  const changes = new EntryChanges(image);
  for (const part of parts) {
    const { guest, entry, from, to } = part;
    const inPlace = isInPlace(image, entry);
    let host = inPlace ? hostOffset(entry.high, entry.low) : guest;
    if (!inPlace && image.dataFile === undefined) {
      host = next;
      next += clusterSize;
    }
    const written = bytes.subarray(guest + from - offset, guest + to - offset);
    writePart(image, part, { bytes: written, host, inPlace });
    const after = entryAfter(image, part, { host, inPlace });
    if (!isSame(entry, after)) changes.set(guest / clusterSize, { before: entry, after });
  }
  changes.commit({ afterData: true });
}

/** Whether an entry has a cluster that only the active image uses. */
function isInPlace(image: WritableImage, { high, low }: L2Entry): boolean {
  const kind = classOf(high, low, image.context);
  return (kind === "normal" || kind === "zero-allocated") &&
    (high & entryBits.copied.high) !== 0;
}

/** Whether two entries are equal. */
export function isSame(a: L2Entry, b: L2Entry): boolean {
  return a.high === b.high && a.low === b.low && a.allocated === b.allocated && a.zero === b.zero;
}

/** The subclusters that `[from, to)` touches, as a mask. */
function touched(image: WritableImage, { from, to }: ClusterPart): number {
  const { subclusterSize } = image.geometry;
  const first = Math.floor(from / subclusterSize);
  return unitMask(first, Math.ceil(to / subclusterSize));
}

/** The bits of the subclusters `[first, end)`. */
export function unitMask(first: number, end: number): number {
  return (2 ** end - 2 ** first) >>> 0;
}

function entryAfter(
  image: WritableImage,
  part: ClusterPart,
  { host, inPlace }: { host: number; inPlace: boolean },
): L2Entry {
  const { entry } = part;
  const [high, low] = inPlace
    ? [entry.high, image.geometry.extendedL2 ? entry.low : entry.low & ~entryBits.zero.low]
    : pointerWords(host, { copied: true });
  if (!image.geometry.extendedL2) {
    return { high: high >>> 0, low: low >>> 0, allocated: 0, zero: 0 };
  }
  const kind = classOf(entry.high, entry.low, image.context);
  const mask = touched(image, part);
  const isWhole = kind === "compressed";
  return {
    high: high >>> 0,
    low: low >>> 0,
    allocated: ((isWhole ? ALL_SUBCLUSTERS : entry.allocated) | mask) >>> 0,
    zero: isWhole ? 0 : (entry.zero & ~mask) >>> 0,
  };
}

/** Writes what is new in a cluster, and what must be copied to where it is now. */
function writePart(
  image: WritableImage,
  part: ClusterPart,
  { bytes, host, inPlace }: { bytes: Uint8Array; host: number; inPlace: boolean },
): void {
  const { from, to, guest } = part;
  for (const [start, end] of rangesToWrite(image, part, inPlace)) {
    const first = Math.max(start, from);
    const last = Math.min(end, to);
    const at = { guest: guest + start, host: host + start };
    if (first === start && last === end) {
      writeStored(image, bytes.subarray(start - from, end - from), at);
      continue;
    }
    if (first < last && staysZeros(image, part, at.host)) {
      const written = bytes.subarray(first - from, last - from);
      writeStored(image, written, { guest: guest + first, host: host + first });
      if (image.store.size < host + end) image.store.resize(host + end);
      continue;
    }
    const content = readCluster(image, part, [start, end]);
    if (first < last) content.set(bytes.subarray(first - from, last - from), first - start);
    writeStored(image, content, at);
  }
}

/**
 * Whether the rest of a subcluster need not be written: it is zeros, and its place is past the end of
 * the file.
 */
function staysZeros(image: WritableImage, { entry }: ClusterPart, host: number): boolean {
  const { store, dataFile, opened, context, hasBacking } = image;
  const kind = classOf(entry.high, entry.low, context);
  const isEmpty = kind === "zero-plain" || kind === "unallocated" && !hasBacking;
  return isEmpty && dataFile === undefined && opened.encryption === undefined && host >= store.size;
}

/** The ranges of a cluster that are written, adjacent ones joined. */
function rangesToWrite(
  image: WritableImage,
  part: ClusterPart,
  inPlace: boolean,
): [start: number, end: number][] {
  const { subclusters, subclusterSize } = image.geometry;
  const unit = writeUnit(image);
  const ranges: [number, number][] = [];
  for (let i = 0; i < subclusters; i++) {
    const start = i * subclusterSize;
    const end = start + subclusterSize;
    const isTouched = part.from < end && part.to > start;
    const state = stateOf(image, part.entry, i);
    const isStored = state === "data" || state === "compressed";
    if (!isTouched && (inPlace || !isStored)) continue;
    // Only what is written; but a subcluster that was not stored as a whole.
    const range: [number, number] = inPlace && isStored
      ? [
        roundDown(Math.max(start, part.from), unit),
        roundUp(Math.min(end, part.to), unit),
      ]
      : [start, end];
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === range[0]) last[1] = range[1];
    else ranges.push(range);
  }
  return ranges;
}
