import { type ByteStore, roundUp } from "../../bytes/mod.ts";
import { EditError } from "../../format/mod.ts";
import { compressedExtent, kindOf, offsetOf } from "../entry.ts";
import { l1Bytes } from "../geometry.ts";
import type { Qcow1Image } from "../image.ts";
import type { Interval } from "../intervals.ts";
import { tableFault } from "../judge/entries.ts";
import { Overlaps } from "./overlaps.ts";

/** No file is longer here. */
const FILE_MAX = Number.MAX_SAFE_INTEGER;

/**
 * Who uses which part of an image file.
 *
 * The format has no refcounts, so that all tables are read once before the first change. A cluster that
 * more than one entry uses is not written in place: the other part of the disk would change, too.
 */
export class Space {
  readonly #store: ByteStore;
  readonly #used: Overlaps;

  /**
   * @param heads what the file has besides the tables: the header and the backing file name
   * @throws {EditError} if a table shares bytes with anything: writing to either would damage the other
   */
  constructor(store: ByteStore, image: Qcow1Image, heads: readonly Interval[]) {
    this.#store = store;
    const l1 = extent(Number(image.l1Offset), l1Bytes(image.l1.length));
    if (l1.to > FILE_MAX) {
      throw new EditError("Cannot change the image: its L1 table is past the end of any file");
    }
    const tables = [...heads, l1, ...tablesOf(image)];
    if (!new Overlaps(tables).isEmpty) throw damaged();
    this.#used = new Overlaps(allOf(image, tables));
    if (tables.some((table) => this.#used.has(table))) throw damaged();
  }

  /** Whether a cluster or table is inside the file, and only one entry points to a part of it. */
  owns(offset: number, length: number): boolean {
    return offset < this.#store.size && !this.#used.has(extent(offset, length));
  }

  /** A free place at the end of the file. */
  allocate(length: number, unit: number): number {
    let at = roundUp(this.#store.size, unit);
    for (let used = this.#used.firstIn(extent(at, length)); used !== undefined;) {
      at = roundUp(used.to, unit);
      used = this.#used.firstIn(extent(at, length));
    }
    if (at + length <= FILE_MAX) return at;
    throw new EditError("Cannot change the image: there is no room in the file");
  }
}

function damaged(): EditError {
  return new EditError(
    "Cannot change the image: a table overlaps another part of the file, which would be overwritten",
  );
}

function extent(from: number, length: number): Interval {
  return { from, to: from + length };
}

/** The L2 tables of the guest's disk. */
function* tablesOf(image: Qcow1Image): Generator<Interval> {
  for (const { offset } of l2Tables(image)) yield extent(offset, image.geometry.l2Size);
}

interface TableAt {
  readonly index: number;
  readonly offset: number;
}

function* l2Tables(image: Qcow1Image): Generator<TableAt> {
  const { l1 } = image;
  for (let index = l1.nextNonZero(0); index < l1.length; index = l1.nextNonZero(index + 1)) {
    const entry = l1.entry(index);
    // Nothing in a table that cannot be read is reached or changed.
    if (tableFault(image, entry, index) === undefined) yield { index, offset: offsetOf(entry) };
  }
}

/** The parts of a file in use. Tables do not overlap, so that there are no more than the file can hold. */
function* allOf(image: Qcow1Image, tables: Iterable<Interval>): Generator<Interval> {
  yield* tables;
  const { clusterBits, clusterSize, l2Entries, l2Coverage } = image.geometry;
  for (const { index } of l2Tables(image)) {
    const table = image.l2(image.l1.entry(index));
    const rest = Math.ceil((image.virtualSize - index * l2Coverage) / clusterSize);
    const end = Math.min(l2Entries, rest);
    for (let at = table.nextNonZero(0, end); at < end; at = table.nextNonZero(at + 1, end)) {
      const entry = table.entry(at);
      if (kindOf(entry) === "data") {
        yield extent(offsetOf(entry), clusterSize);
      } else {
        const { offset, length } = compressedExtent(entry, clusterBits);
        yield extent(offset, length);
      }
    }
  }
}
