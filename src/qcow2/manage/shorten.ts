import { offsetWords } from "../encode/entries.ts";
import { masked } from "../entry_bits.ts";
import { entryBits, refcountTableEntry } from "../structures.ts";
import type { WritableImage } from "../write/image.ts";

/**
 * Ends the file after its last used cluster. Refcount blocks at its end that count no other cluster are
 * released before.
 */
export function shortenFile(image: WritableImage): void {
  const { store, geometry: { clusterSize } } = image;
  dropBlocks(image);
  const end = Math.ceil(store.size / clusterSize);
  let last = end - 1;
  while (last > 0 && image.refcounts.of(last) === 0) last--;
  if (last + 1 < end) {
    image.flush();
    store.resize((last + 1) * clusterSize);
    image.flush();
  }
}

function dropBlocks(image: WritableImage): void {
  const { geometry: { clusterSize, refblockEntries, tableEntries }, file: { header } } = image;
  const table = Number(header.refcount_table_offset);
  for (let i = header.refcount_table_clusters * tableEntries - 1; i > 0; i--) {
    const at = table + i * refcountTableEntry.size;
    const [high = 0, low = 0] = image.words(at, 2);
    const offset = masked(high, low, entryBits.refblockOffset);
    if (offset === 0) continue;
    const own = offset / clusterSize;
    const start = i * refblockEntries;
    let used = start;
    while (used < start + refblockEntries && (used === own || image.refcounts.of(used) === 0)) {
      used++;
    }
    if (used < start + refblockEntries) continue;
    image.setWords(at, offsetWords(0));
    image.refcounts.invalidate();
    if (own < start || own >= start + refblockEntries) image.free({ first: own, count: 1 });
    image.barrier();
  }
}
