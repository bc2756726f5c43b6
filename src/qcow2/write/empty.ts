import type { WritableImage } from "./image.ts";
import { ActiveTables } from "./tables.ts";
import { activeL1, countTable, tablesOf } from "./walk.ts";
import { zeroGuest } from "./zeroes.ts";

/** L2 tables that are given up between two barriers. */
const BATCH_TABLES = 64;

/**
 * Gives up all content of the active image, so that the backing file shows. The clusters of snapshots
 * stay. A raw data file has no backing file, and becomes zeros.
 */
export function makeEmpty(image: WritableImage): void {
  if (image.dataIsRaw) return zeroGuest(image, 0, { length: image.virtualSize, unmap: true });
  const tables = new ActiveTables(image);
  let given = 0;
  for (const [index, offset] of tablesOf(activeL1(image))) {
    tables.setTable(index, 0, false);
    countTable(image, offset, (clusters) => image.free(clusters));
    if (++given % BATCH_TABLES === 0) image.barrier();
  }
}
