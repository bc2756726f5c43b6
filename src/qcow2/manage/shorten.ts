import { offsetWords } from "../encode/entries.ts";
import type { WritableImage } from "../write/image.ts";
import { blocksOf, refcountTable } from "../write/walk.ts";

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
  const { geometry: { clusterSize, refblockEntries } } = image;
  const table = refcountTable(image);
  for (const [i, offset] of [...blocksOf(image)].reverse()) {
    if (i === 0) continue;
    const own = offset / clusterSize;
    const start = i * refblockEntries;
    let used = start;
    while (used < start + refblockEntries && (used === own || image.refcounts.of(used) === 0)) {
      used++;
    }
    if (used < start + refblockEntries) continue;
    image.setWords(table.offsetOf(i), offsetWords(0));
    image.refcounts.invalidate();
    if (own < start || own >= start + refblockEntries) image.free({ first: own, count: 1 });
    image.barrier();
  }
}
