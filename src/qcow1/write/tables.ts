import type { ByteStore } from "../../bytes/mod.ts";
import { EditError } from "../../format/mod.ts";
import { writeUint } from "../../layout/mod.ts";
import { type Qcow1File, storedName } from "../decode.ts";
import { type Entry, isZero, offsetOf } from "../entry.ts";
import { type Geometry, l1Bytes } from "../geometry.ts";
import { Qcow1Image } from "../image.ts";
import type { Interval } from "../intervals.ts";
import { tableFault } from "../judge/entries.ts";
import { header, l2Entry } from "../structures.ts";
import { Space } from "./space.ts";

/** Zeros that are written to the L1 table at a time. */
const CHUNK = 2 ** 20;
/** Bytes of an entry of a table. */
const ENTRY = l2Entry.size;

/** A new entry of a table. */
type Update = readonly [index: number, value: bigint];

/**
 * The tables of an image that is changed.
 *
 * Nothing points to a cluster or a table before that is durable: data is flushed before the L2 entries
 * are written, and new L2 tables before the L1 entries. So an image that was not closed has the old
 * content or the new one, and no space is used twice.
 */
export class Tables {
  readonly #store: ByteStore;
  readonly #file: Qcow1File;
  readonly #geometry: Geometry;
  #image: Qcow1Image;
  #space: Space | undefined;

  constructor({ store, file, geometry }: {
    readonly store: ByteStore;
    readonly file: Qcow1File;
    readonly geometry: Geometry;
  }) {
    this.#store = store;
    this.#file = file;
    this.#geometry = geometry;
    this.#image = new Qcow1Image(file, geometry);
  }

  /** @throws {EditError} if the tables overlap something */
  get space(): Space {
    return this.#space ??= new Space(this.#store, this.#image, this.#heads());
  }

  #heads(): Interval[] {
    const name = storedName(this.#file)?.length ?? 0;
    // A name in the header itself is not written to either.
    const from = Math.max(header.size, Number(this.#file.header.backing_file_offset));
    return [{ from: 0, to: header.size }, { from, to: from + name }];
  }

  /** The L2 entry of a cluster of the guest's disk. */
  entryOf(cluster: number): Entry {
    const { l2Entries } = this.#geometry;
    const table = this.#table(Math.floor(cluster / l2Entries));
    return isZero(table) ? table : this.#image.l2(table).entry(cluster % l2Entries);
  }

  #table(index: number): Entry {
    const entry = this.#image.l1.entry(index);
    const fault = isZero(entry) ? undefined : tableFault(this.#image, entry, index);
    if (fault === undefined) return entry;
    throw new EditError(`Cannot change the image: ${fault.message} (${fault.rule})`);
  }

  /** Makes entries of clusters durable, after the clusters themselves. */
  enter(entries: ReadonlyMap<number, bigint>): void {
    if (entries.size === 0) return;
    const { l2Entries } = this.#geometry;
    const byTable = Map.groupBy(entries, ([cluster]) => Math.floor(cluster / l2Entries));
    try {
      this.#store.flush();
      const moved: Update[] = [];
      for (const [index, list] of byTable) {
        const updates = list.map(([cluster, value]): Update => [cluster % l2Entries, value]);
        const place = this.#enterIn(this.#table(index), updates);
        if (place !== undefined) moved.push([index, BigInt(place)]);
      }
      if (moved.length === 0) return;
      this.#store.flush();
      this.#write(Number(this.#image.l1Offset), moved);
    } finally {
      this.#image = new Qcow1Image(this.#file, this.#geometry);
    }
  }

  /** Writes entries to an L2 table, or to a new one. Returns the offset of a new one. */
  #enterIn(table: Entry, updates: readonly Update[]): number | undefined {
    const { l2Size, clusterSize } = this.#geometry;
    const isThere = !isZero(table);
    if (isThere && this.space.owns(offsetOf(table), l2Size)) {
      this.#write(offsetOf(table), updates);
      return undefined;
    }
    // A table that is past the end of the file is all zeros, too.
    const bytes = new Uint8Array(l2Size);
    for (const [index, value] of updates) writeUint(bytes, index * ENTRY, ENTRY, value);
    const place = this.space.allocate(l2Size, clusterSize);
    this.#store.write(place, bytes);
    return place;
  }

  /** Writes entries to a table; those that follow each other in one piece. */
  #write(table: number, updates: readonly Update[]): void {
    for (let at = 0; at < updates.length;) {
      const [first] = updates[at] as Update;
      let count = 1;
      while (updates[at + count]?.[0] === first + count) count++;
      const bytes = new Uint8Array(count * ENTRY);
      updates.slice(at, at + count).forEach(([, value], index) =>
        writeUint(bytes, index * ENTRY, ENTRY, value)
      );
      this.#store.write(table + first * ENTRY, bytes);
      at += count;
    }
  }

  /** Gives up all clusters and tables. */
  clear(): void {
    // Throws if a table overlaps something that the truncated file still needs.
    this.#space = new Space(this.#store, this.#image, this.#heads());
    const { l1Offset, l1 } = this.#image;
    const start = Number(l1Offset);
    const end = start + l1Bytes(l1.length);
    for (let at = start; at < Math.min(end, this.#store.size); at += CHUNK) {
      const length = Math.min(CHUNK, end - at, this.#store.size - at);
      this.#store.write(at, new Uint8Array(length));
    }
    this.#store.flush();
    // Unlike in QEMU, the name of the backing file stays even if it is behind the L1 table.
    const keep = Math.max(end, ...this.#heads().map(({ to }) => to));
    if (keep < this.#store.size) this.#store.resize(keep);
    this.#image = new Qcow1Image(this.#file, this.#geometry);
    this.#space = undefined;
  }
}
