import { roundUp, SECTOR } from "../../bytes/mod.ts";
import { EditError, mustGrow, type ResizeOptions } from "../../format/mod.ts";
import type { Preallocation } from "../create/options.ts";
import { pointerWords } from "../encode/entries.ts";
import { l1Needed } from "../geometry.ts";
import { NO_ENTRY } from "../l2_entries.ts";
import { L2Table } from "../l2_tables.ts";
import { entryBits, l1Entry, limits } from "../structures.ts";
import { stateOf } from "../write/cluster_content.ts";
import { EntryChanges } from "../write/entry_changes.ts";
import { batchesOf, partsOf, writeGuest } from "../write/guest_write.ts";
import type { WritableImage } from "../write/image.ts";
import { ActiveTables } from "../write/tables.ts";
import { activeL1, countTable, tablesOf } from "../write/walk.ts";
import { zeroGuest } from "../write/zeroes.ts";
import { shortenFile } from "./shorten.ts";
import { Transition } from "./transition.ts";
import { replacedL1 } from "./trees.ts";

/** Clusters that are allocated between two barriers. */
const BATCH_CLUSTERS = 2 ** 12;

/** Changes the size of the disk, like qcow2_co_truncate. The size takes effect with one write. */
export function resizeDisk(
  image: WritableImage,
  size: number,
  { shrink = false, preallocation = "off" }: ResizeOptions,
): void {
  const before = image.virtualSize;
  if (!Number.isSafeInteger(size) || size < 0 || size % SECTOR !== 0) {
    throw new EditError(`The size must be a multiple of ${SECTOR} bytes, not ${size}`);
  }
  if (image.version < 3 && image.file.header.nb_snapshots > 0) {
    throw new EditError("An image of version 2 with snapshots cannot have another size");
  }
  mustGrow(before, size, { shrink });
  if (size < before && preallocation !== "off") {
    throw new EditError("A disk that shrinks cannot be preallocated");
  }
  if (size < before) shrinkDisk(image, size);
  else growDisk(image, size, preallocation);
}

function shrinkDisk(image: WritableImage, size: number): void {
  image.setHeader({ size: BigInt(size) });
  image.flush();
  dropFrom(image, size);
  image.barrier();
  image.dataFile?.resize(size);
  shortenFile(image);
}

/** Releases the clusters and tables after an offset, which no guest sees. */
export function dropFrom(image: WritableImage, offset: number): void {
  const { geometry: { clusterSize, l2Entries }, geometry, store } = image;
  const first = Math.ceil(offset / clusterSize);
  const tables = new ActiveTables(image);
  for (const [index, place] of [...tablesOf(activeL1(image))]) {
    const start = index * l2Entries;
    if (start + l2Entries <= first) continue;
    if (start >= first) {
      image.barrier();
      tables.setTable(index, 0, false);
      countTable(image, place, (clusters) => image.free(clusters));
      continue;
    }
    const table = new L2Table(store, place, geometry);
    const changes = new EntryChanges(image);
    for (let k = table.nextNonZero(first - start); k < table.stored; k = table.nextNonZero(k + 1)) {
      changes.set(start + k, { before: table.entry(k), after: NO_ENTRY });
    }
    changes.commit({ afterData: false });
  }
}

function growDisk(
  image: WritableImage,
  size: number,
  preallocation: Preallocation,
): void {
  const { geometry: { clusterSize }, virtualSize: before, dataFile } = image;
  const isLonger = (image.below?.size ?? 0) > before;
  if (isLonger && image.version < 3) {
    throw new EditError(
      "Version 2 has no zeros over a backing file, which is longer than the disk",
    );
  }
  growL1(image, size);
  dropFrom(image, before);
  zeroTail(image);
  if (dataFile !== undefined && dataFile.size > before) dataFile.resize(before);
  dataFile?.resize(size);
  const start = roundUp(before, clusterSize);
  const end = roundUp(size, clusterSize);
  if (preallocation !== "off" || image.dataIsRaw) preallocate(image, [start, end], preallocation);
  if (isLonger) zeroGuest(image, start, { length: end - start, unmap: false });
  image.barrier();
  image.setHeader({ size: BigInt(size) });
  image.flush();
}

/** Makes the L1 table long enough for a size. */
function growL1(image: WritableImage, size: number): void {
  const { geometry, file: { header } } = image;
  const needed = Number(l1Needed(BigInt(size), geometry));
  if (needed <= header.l1_size) return;
  if (needed * l1Entry.size > limits.l1Table) {
    throw new EditError(`With clusters of ${geometry.clusterSize} bytes, the disk is too large`);
  }
  const transition = new Transition(image);
  const old = activeL1(image);
  const bytes = new Uint8Array(needed * l1Entry.size);
  image.store.readInto(old.offset, bytes.subarray(0, old.length * l1Entry.size));
  transition.commit(replacedL1(image, transition, bytes));
}

/** Makes the bytes between the end of the disk and the end of its last cluster zeros. */
function zeroTail(image: WritableImage): void {
  const { geometry: { clusterSize, subclusterSize }, virtualSize } = image;
  if (virtualSize % clusterSize === 0) return;
  const [part] = partsOf(image, virtualSize, 1);
  if (part === undefined) return;
  const from = virtualSize - part.guest;
  const first = Math.floor(from / subclusterSize);
  for (let unit = first; unit * subclusterSize < clusterSize; unit++) {
    const state = stateOf(image, part.entry, unit);
    if (state === "zero" || state === "unallocated" && !image.hasBacking) continue;
    const start = Math.max(from, unit * subclusterSize);
    const end = (unit + 1) * subclusterSize;
    const length = state === "compressed" ? clusterSize - start : end - start;
    writeGuest(image, part.guest + start, new Uint8Array(length));
    if (state === "compressed") return;
  }
}

/** Allocates clusters past the end of the disk that read as zeros. */
function preallocate(
  image: WritableImage,
  [start, end]: readonly [number, number],
  preallocation: Preallocation,
): void {
  const { geometry: { clusterSize, extendedL2 }, store, dataFile } = image;
  // Zeros that are decrypted are noise.
  const isZero = image.opened.encryption !== undefined && image.version >= 3 && !extendedL2;
  for (const [from, to] of batchesOf(image, [start, end], BATCH_CLUSTERS * clusterSize)) {
    const count = (to - from) / clusterSize;
    let host = from;
    if (dataFile === undefined) {
      // After the end of the file, where everything is zeros.
      host = image.allocate(count, Math.ceil(store.size / clusterSize)) * clusterSize;
      store.resize(Math.max(store.size, host + to - from));
      if (preallocation === "full") {
        for (let at = host; at < host + to - from; at += clusterSize) {
          store.write(at, new Uint8Array(clusterSize));
        }
      }
    }
    const changes = new EntryChanges(image);
    for (const { guest, entry } of partsOf(image, from, to - from)) {
      const [high, low] = pointerWords(host + guest - from, { copied: true });
      const after = { ...NO_ENTRY, high: high >>> 0, low: low | (isZero ? entryBits.zero.low : 0) };
      changes.set(guest / clusterSize, { before: entry, after });
    }
    changes.commit({ afterData: true });
  }
}
