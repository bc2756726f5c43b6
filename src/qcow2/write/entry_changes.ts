import { writeWords } from "../encode/entries.ts";
import type { L2Entry } from "../l2_entries.ts";
import { entryBits } from "../structures.ts";
import type { WritableImage } from "./image.ts";
import { ActiveTables, entryWords, storeTable, type TableAt } from "./tables.ts";
import { clustersOf } from "./walk.ts";

/** A new L2 entry of a guest cluster. */
interface EntryChange {
  /** Index in its L2 table. */
  readonly index: number;
  readonly before: L2Entry;
  readonly after: L2Entry;
}

/** New L2 entries, which are written together and in an order that a crash cannot harm. */
export class EntryChanges {
  readonly #image: WritableImage;
  readonly #tables: ActiveTables;
  /** By index of the L1 table. */
  readonly #changes = new Map<number, EntryChange[]>();

  constructor(image: WritableImage) {
    this.#image = image;
    this.#tables = new ActiveTables(image);
  }

  /** Replaces the entry of a guest cluster. */
  set(cluster: number, { before, after }: { before: L2Entry; after: L2Entry }): void {
    const { l2Entries } = this.#image.geometry;
    const table = Math.floor(cluster / l2Entries);
    const changes = this.#changes.get(table) ?? [];
    changes.push({ index: cluster % l2Entries, before, after });
    this.#changes.set(table, changes);
  }

  /**
   * Writes the entries. What they replace is released.
   *
   * @param afterData whether data was written that must be durable before the entries
   */
  commit({ afterData }: { readonly afterData: boolean }): void {
    if (this.#changes.size === 0) return;
    const steps: (() => void)[] = [];
    let isNew = false;
    for (const [index, changes] of this.#changes) {
      const table = this.#tables.table(index);
      if (table.copied) steps.push(() => this.#update(table, changes));
      else {
        steps.push(this.#replace(index, table, changes));
        isNew = true;
      }
    }
    if (isNew || afterData) this.#image.barrier();
    for (const step of steps) step();
    this.#release();
    this.#changes.clear();
  }

  /** Writes entries of a table in place, adjacent ones together. */
  #update({ offset }: TableAt, changes: readonly EntryChange[]): void {
    const { l2EntrySize, extendedL2 } = this.#image.geometry;
    for (let i = 0; i < changes.length;) {
      const first = changes[i] as EntryChange;
      const words = [...entryWords(first.after, extendedL2)];
      let next = i + 1;
      for (; changes[next]?.index === first.index + next - i; next++) {
        words.push(...entryWords((changes[next] as EntryChange).after, extendedL2));
      }
      this.#image.setWords(offset + first.index * l2EntrySize, words);
      i = next;
    }
  }

  /**
   * Writes a new table: nothing refers to the old one, or a snapshot does.
   *
   * @returns what makes the L1 entry refer to it
   */
  #replace(index: number, table: TableAt, changes: readonly EntryChange[]): () => void {
    const { store, geometry: { clusterSize, l2EntrySize, extendedL2 } } = this.#image;
    const bytes = table.offset === 0
      ? new Uint8Array(clusterSize)
      : store.read(table.offset, clusterSize).slice();
    for (const { index: entry, after } of changes) {
      writeWords(bytes, entry * l2EntrySize, entryWords(after, extendedL2));
    }
    const offset = storeTable(this.#image, bytes);
    return () => {
      this.#tables.setTable(index, offset);
      if (table.offset === 0) return;
      this.#image.free({ first: table.offset / clusterSize, count: 1 });
    };
  }

  /** Releases the clusters of old entries. An entry may keep its cluster, but no compressed data. */
  #release(): void {
    const { context } = this.#image;
    for (const changes of this.#changes.values()) {
      for (const { before, after } of changes) {
        const old = clustersOf(before, context);
        const isKept = !isCompressed(before) && !isCompressed(after) &&
          clustersOf(after, context).first === old.first;
        if (!isKept) this.#image.free(old);
      }
    }
  }
}

function isCompressed({ high }: L2Entry): boolean {
  return (high & entryBits.compressed.high) !== 0;
}
