import { isZero, roundDown, roundUp } from "../../bytes/mod.ts";
import { ALL_SUBCLUSTERS } from "../encode/entries.ts";
import { classOf, type L2Entry, NO_ENTRY } from "../l2_entries.ts";
import { entryBits } from "../structures.ts";
import { stateOf, writeStored, writeUnit } from "./cluster_content.ts";
import { EntryChanges } from "./entry_changes.ts";
import {
  batchesOf,
  type ClusterPart,
  isSame,
  partsOf,
  unitMask,
  writeGuest,
} from "./guest_write.ts";
import type { WritableImage } from "./image.ts";

/** Clusters whose entries are changed between two barriers. */
const BATCH_CLUSTERS = 2 ** 14;
/** Bytes of zeros that are written at once. */
const ZEROS = 2 ** 20;

/** Changes the entries of a range, cluster by cluster. */
function changeEntries(
  image: WritableImage,
  [offset, end]: readonly [number, number],
  after: (part: ClusterPart) => L2Entry,
): void {
  const { clusterSize } = image.geometry;
  for (const [from, to] of batchesOf(image, [offset, end], BATCH_CLUSTERS * clusterSize)) {
    const changes = new EntryChanges(image);
    for (const part of partsOf(image, from, to - from)) {
      const { entry: before, guest } = part;
      const entry = after(part);
      if (!isSame(before, entry)) changes.set(guest / clusterSize, { before, after: entry });
    }
    changes.commit({ afterData: image.dataIsRaw });
  }
}

/** Whether a part is all of its cluster that is on the disk. */
function isWhole(image: WritableImage, { guest, from, to }: ClusterPart): boolean {
  return from === 0 && (to === image.geometry.clusterSize || guest + to === image.virtualSize);
}

/**
 * Gives up the content of the clusters that are inside of a range, like qcow2_co_pdiscard. In version 3
 * they then read as zeros, and in version 2 also, as discarding does nothing over a backing file.
 */
export function discardGuest(image: WritableImage, offset: number, length: number): void {
  if (image.version < 3 && image.hasBacking) return;
  const discard = (part: ClusterPart): L2Entry => {
    const { entry } = part;
    const kind = classOf(entry.high, entry.low, image.context);
    const isEmpty = kind === "unallocated" || kind === "zero-plain";
    if (!isWhole(image, part) || isEmpty && !image.hasBacking) return entry;
    zeroRawFile(image, part);
    if (image.geometry.extendedL2) return { ...NO_ENTRY, zero: ALL_SUBCLUSTERS };
    return { ...NO_ENTRY, low: image.version < 3 ? 0 : entryBits.zero.low };
  };
  for (const range of [...usedRanges(image, [offset, offset + length])]) {
    changeEntries(image, range, discard);
  }
}

/** The parts of a range, in whole clusters, that have entries, a backing file or a raw data file. */
function* usedRanges(
  image: WritableImage,
  [from, to]: readonly [number, number],
): Generator<readonly [number, number]> {
  const { clusterSize } = image.geometry;
  let done = from;
  for (const { start, length, kind, host } of image.layer.runs(from, to)) {
    const isEmpty = kind === "unallocated" && host === undefined;
    if (isEmpty && !image.hasBacking && !image.dataIsRaw) continue;
    const first = Math.max(done, roundDown(start, clusterSize));
    done = Math.min(to, roundUp(start + length, clusterSize));
    if (first < done) yield [first, done];
  }
}

/**
 * Makes a range read as zeros, like qcow2_co_pwrite_zeroes. Clusters that read as zeros because there is
 * nothing below them keep no entry; QEMU makes tables for them. The bytes of a raw data file become zeros.
 */
export function zeroGuest(
  image: WritableImage,
  offset: number,
  { length, unmap }: { readonly length: number; readonly unmap: boolean },
): void {
  if (image.version < 3 && image.hasBacking) return writeZeros(image, [offset, offset + length]);
  const partial: (readonly [number, number])[] = [];
  const zero = (part: ClusterPart): L2Entry => {
    const { entry, guest } = part;
    if (isWhole(image, part)) {
      zeroRawFile(image, part);
      return zeroedCluster(image, entry, unmap);
    }
    let after = entry;
    for (const [unit, from, to] of unitsOf(image, part)) {
      if (canZeroUnit(image, part, { unit, from, to })) {
        zeroRawFile(image, { guest, from, to });
        after = zeroedUnit(image, after, { unit, unmap });
      } else partial.push([guest + from, guest + to]);
    }
    return after;
  };
  for (const range of [...usedRanges(image, [offset, offset + length])]) {
    changeEntries(image, range, zero);
  }
  for (const range of partial) writeZeros(image, range);
}

/** The subclusters that a part touches, with the range that it has in each. */
function* unitsOf(
  { geometry: { subclusterSize } }: WritableImage,
  { from, to }: ClusterPart,
): Generator<[unit: number, from: number, to: number]> {
  for (let at = from; at < to;) {
    const unit = Math.floor(at / subclusterSize);
    const next = Math.min(to, (unit + 1) * subclusterSize);
    yield [unit, at, next];
    at = next;
  }
}

/** Whether a subcluster can be marked as zeros for the sake of a part of it. */
function canZeroUnit(
  image: WritableImage,
  { guest, entry }: ClusterPart,
  { unit, from, to }: { unit: number; from: number; to: number },
): boolean {
  const { subclusterSize } = image.geometry;
  const state = stateOf(image, entry, unit);
  if (state === "compressed") return false;
  const start = unit * subclusterSize;
  const end = Math.min(start + subclusterSize, image.virtualSize - guest);
  if (state === "zero" || from === start && to === end) return true;
  if (state !== "unallocated") return false;
  if (!image.hasBacking) return true;
  const content = image.below?.read(guest + start, end - start) ?? new Uint8Array(0);
  return isZero(content.subarray(0, from - start)) && isZero(content.subarray(to - start));
}

/** The entry of a cluster that reads as zeros (zero_in_l2_slice). */
function zeroedCluster(image: WritableImage, entry: L2Entry, unmap: boolean): L2Entry {
  const { extendedL2 } = image.geometry;
  const kind = classOf(entry.high, entry.low, image.context);
  if (image.version < 3) return NO_ENTRY;
  const isAllocated = kind === "normal" || kind === "zero-allocated";
  const { high, low } = kind === "compressed" || unmap && isAllocated ? NO_ENTRY : entry;
  if (extendedL2) return { high, low, allocated: 0, zero: ALL_SUBCLUSTERS };
  return { high, low: (low | entryBits.zero.low) >>> 0, allocated: 0, zero: 0 };
}

/** The entry after a subcluster was made zeros (zero_l2_subclusters). */
function zeroedUnit(
  image: WritableImage,
  entry: L2Entry,
  { unit, unmap }: { unit: number; unmap: boolean },
): L2Entry {
  if (!image.geometry.extendedL2) return zeroedCluster(image, entry, unmap);
  const mask = unitMask(unit, unit + 1);
  return {
    ...entry,
    allocated: (entry.allocated & ~mask) >>> 0,
    zero: (entry.zero | mask) >>> 0,
  };
}

function writeZeros(image: WritableImage, [from, to]: readonly [number, number]): void {
  for (let at = from; at < to; at += ZEROS) {
    writeGuest(image, at, new Uint8Array(Math.min(ZEROS, to - at)));
  }
}

/** Keeps a raw data file the same as the disk: what is marked as zeros is zeros there too. */
function zeroRawFile(
  image: WritableImage,
  { guest, from, to }: Pick<ClusterPart, "guest" | "from" | "to">,
): void {
  if (!image.dataIsRaw) return;
  // Encryption is by sector. The rest of a sector is zeros as well.
  const unit = writeUnit(image);
  const start = guest + roundDown(from, unit);
  const bytes = new Uint8Array(guest + roundUp(to, unit) - start);
  writeStored(image, bytes, { guest: start, host: start });
}
