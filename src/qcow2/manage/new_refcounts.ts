import { EditError } from "../../format/mod.ts";
import { refcountAt } from "../check/refcounts.ts";
import { offsetWords, writeWords } from "../encode/entries.ts";
import { limits, refcountTableEntry } from "../structures.ts";
import type { WritableImage } from "../write/image.ts";
import { type Count, mustFit, setRefcountAt } from "../write/refcount_block.ts";
import { blocksOf } from "../write/walk.ts";

/**
 * Writes all refcounts again with another width.
 *
 * @throws {EditError} if a refcount is too large for the width
 */
export function changeRefcountWidth(image: WritableImage, order: number): void {
  const own = structuresOf(image);
  const counts = function* (): Generator<Count> {
    for (const [cluster, count] of storedCounts(image)) {
      const rest = count - (own.get(cluster) ?? 0);
      if (rest > 0) yield [cluster, rest];
    }
  };
  writeRefcounts(image, counts(), order);
}

/**
 * Writes a new refcount table with its blocks after the end of the file. One write of the header makes it
 * refer to them; the old ones are not in use then.
 *
 * @param counts of all clusters, without the references to the old table and blocks
 * @param order the width of refcounts is 2 to this power
 * @throws {EditError} if a refcount is too large for the width
 */
export function writeRefcounts(image: WritableImage, counts: Iterable<Count>, order: number): void {
  const { store, geometry: { clusterSize } } = image;
  const bits = 2 ** order;
  const entries = clusterSize * 8 / bits;
  const blocks = new Map<number, Uint8Array>();
  let last = 0;
  const set = (cluster: number, value: number): void => {
    const index = Math.floor(cluster / entries);
    last = Math.max(last, index);
    const block = blocks.get(index) ?? new Uint8Array(clusterSize);
    setRefcountAt(block, cluster % entries, { bits, value });
    blocks.set(index, block);
  };
  let first = Math.ceil(store.size / clusterSize);
  for (const [cluster, count] of counts) {
    mustFit(count, bits);
    set(cluster, count);
    first = Math.max(first, cluster + 1);
  }
  // They count themselves, which may take more of them.
  let clusters = 1;
  for (let used = first; used < first + clusters + blocks.size; used++) {
    set(used, 1);
    clusters = Math.ceil((last + 1) * refcountTableEntry.size / clusterSize);
  }
  if (clusters * clusterSize > limits.refcountTable) {
    throw new EditError("The refcount table would be longer than 8 MiB");
  }
  const table = new Uint8Array(clusters * clusterSize);
  let at = first + clusters;
  for (const [index, block] of blocks) {
    writeWords(table, index * refcountTableEntry.size, offsetWords(at * clusterSize));
    store.write(at++ * clusterSize, block);
  }
  store.write(first * clusterSize, table);
  image.barrier();
  image.setHeader({
    refcount_table_offset: BigInt(first * clusterSize),
    refcount_table_clusters: clusters,
    // In version 2, it is not in the header.
    ...(image.version < 3 ? {} : { refcount_order: order }),
  });
  image.flush();
  image.refcounts.invalidate();
  image.compressed.invalidate();
}

/** How often the refcount table and its blocks count each cluster. */
export function structuresOf(image: WritableImage): Map<number, number> {
  const { geometry: { clusterSize }, file: { header } } = image;
  const counts = new Map<number, number>();
  const add = (cluster: number): void => {
    counts.set(cluster, (counts.get(cluster) ?? 0) + 1);
  };
  const first = Number(header.refcount_table_offset) / clusterSize;
  for (let i = 0; i < header.refcount_table_clusters; i++) add(first + i);
  for (const [, offset] of blocksOf(image)) add(offset / clusterSize);
  return counts;
}

function* storedCounts(image: WritableImage): Generator<Count> {
  const { store, geometry: { clusterSize, refblockEntries, refcountBits } } = image;
  for (const [index, offset] of blocksOf(image)) {
    const block = store.read(offset, clusterSize);
    for (let i = 0; i < refblockEntries; i++) {
      const count = refcountAt(block, i, refcountBits);
      if (count !== 0) yield [index * refblockEntries + i, count];
    }
  }
}
