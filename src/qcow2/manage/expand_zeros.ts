import { pointerWords } from "../encode/entries.ts";
import { classOf } from "../l2_entries.ts";
import { L2Table } from "../l2_tables.ts";
import { writeStored } from "../write/cluster_content.ts";
import type { WritableImage } from "../write/image.ts";
import { clustersOf, l1Of, tablesOf } from "../write/walk.ts";

/** Clusters that are written between two barriers. */
const BATCH = 64;

/** An L2 table and what refers to it. */
interface UsedTable {
  /** Number of entries of L1 tables. */
  references: number;
  isActive: boolean;
  /** Guest offset of its first cluster. */
  readonly guest: number;
}

/**
 * Replaces the zero flags, which version 2 does not have: by clusters of zeros over a backing file, and
 * otherwise by nothing. All tables that refer to an L2 table keep their content.
 */
export function expandZeros(image: WritableImage): void {
  const tables = usedTables(image);
  for (const [offset, table] of tables) expandTable(image, offset, table);
  image.barrier();
}

function usedTables(image: WritableImage): Map<number, UsedTable> {
  const tables = new Map<number, UsedTable>();
  const { geometry: { l2Coverage }, file: { header } } = image;
  for (const tree of [header, ...image.opened.snapshots.snapshots]) {
    const isActive = tree === header;
    for (const [index, offset] of tablesOf(l1Of(image, tree))) {
      const known = tables.get(offset) ?? { references: 0, isActive, guest: index * l2Coverage };
      known.references++;
      known.isActive ||= isActive;
      tables.set(offset, known);
    }
  }
  return tables;
}

function expandTable(
  image: WritableImage,
  offset: number,
  { references, isActive, guest }: UsedTable,
): void {
  const { store, geometry, geometry: { clusterSize }, context } = image;
  const table = new L2Table(store, offset, geometry);
  let pending: (() => void)[] = [];
  const flush = (): void => {
    if (pending.length === 0) return;
    image.barrier();
    for (const write of pending) write();
    pending = [];
  };
  for (let k = table.nextNonZero(0); k < table.stored; k = table.nextNonZero(k + 1)) {
    const entry = table.entry(k);
    const kind = classOf(entry.high, entry.low, context);
    if (kind !== "zero-plain" && kind !== "zero-allocated") continue;
    let words: [high: number, low: number] = [0, 0];
    if (image.hasBacking) {
      const cluster = image.allocate(1);
      const at = { guest: guest + k * clusterSize, host: cluster * clusterSize };
      writeStored(image, new Uint8Array(clusterSize), at);
      for (let more = 1; more < references; more++) image.reference({ first: cluster, count: 1 });
      words = pointerWords(at.host, { copied: isActive && references === 1 });
    }
    pending.push(() => {
      image.setWords(table.offsetOf(k), words.map((word) => word >>> 0));
      for (let i = 0; i < references; i++) image.free(clustersOf(entry, context));
    });
    if (pending.length >= BATCH) flush();
  }
  flush();
}
