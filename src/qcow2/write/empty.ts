import { clustersOf } from "./entry_changes.ts";
import type { WritableImage } from "./image.ts";
import { ActiveTables } from "./tables.ts";
import { zeroGuest } from "./zeroes.ts";

/** L2 tables that are given up between two barriers. */
const BATCH_TABLES = 64;

/**
 * Gives up all content of the active image, so that the backing file shows. The clusters of snapshots
 * stay. A raw data file has no backing file, and becomes zeros.
 */
export function makeEmpty(image: WritableImage): void {
  const { context, geometry: { clusterSize, l2Entries }, virtualSize } = image;
  if (image.dataIsRaw) return zeroGuest(image, 0, { length: virtualSize, unmap: true });
  const tables = new ActiveTables(image);
  const { l1 } = image.layer.checked();
  let given = 0;
  for (let index = l1.nextNonZero(0); index < l1.length; index = l1.nextNonZero(index + 1)) {
    const table = tables.table(index);
    if (table.offset === 0) continue;
    const entries = tables.entries(table, 0, l2Entries);
    tables.setTable(index, 0, false);
    image.free({ first: table.offset / clusterSize, count: 1 });
    for (const entry of entries) image.free(clustersOf(entry, context));
    if (++given % BATCH_TABLES === 0) image.barrier();
  }
}
