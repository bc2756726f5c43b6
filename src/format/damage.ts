/** A range of bytes, of the guest's disk or of a file. */
export interface ByteRange {
  /** First byte. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
}

/** Ranges that are listed of one cause; the others are counted. */
const LISTED = 16;

/** Ranges in ascending order. Those that continue each other are one, and only the first few are kept. */
export class FoldedRanges {
  readonly #listed: ByteRange[] = [];
  #last: { offset: number; length: number } | undefined;
  /** Number of ranges. */
  count = 0;
  /** Number of bytes in all of them. */
  bytes = 0;

  /** Adds a range that is behind these. */
  add(offset: number, length: number): void {
    if (length <= 0) return;
    this.bytes += length;
    if (this.#last !== undefined && this.#last.offset + this.#last.length === offset) {
      this.#last.length += length;
      return;
    }
    this.#last = { offset, length };
    this.count++;
    if (this.#listed.length < LISTED) this.#listed.push(this.#last);
  }

  /** Adds ranges that are behind these. */
  append(others: FoldedRanges): void {
    const { count, bytes, listed } = others;
    for (const { offset, length } of listed) this.add(offset, length);
    this.count += count - listed.length;
    this.bytes += bytes - listed.reduce((sum, { length }) => sum + length, 0);
    if (count > listed.length && others.#last !== undefined) this.#last = { ...others.#last };
  }

  /** The first few ranges. */
  get listed(): readonly ByteRange[] {
    return this.#listed;
  }

  /** The first byte of all ranges, and the one after the last. */
  get bounds(): readonly [number, number] {
    const last = this.#last ?? { offset: 0, length: 0 };
    return [this.#listed[0]?.offset ?? 0, last.offset + last.length];
  }
}

/** What happened to an image, as far as its structures show it. */
export type DamageCause =
  /** The file ends before what it should contain. */
  | "truncated"
  /** Entries of L1 tables lead to no L2 table. */
  | "l1-entries"
  /** Entries of L2 tables are malformed. */
  | "l2-entries"
  /** An L2 table that had entries has none. */
  | "l2-table-empty"
  /** No L1 entry leads to an L2 table that is there. */
  | "l2-table-lost"
  /** Parts of the disk cannot be read. */
  | "unreadable"
  /** Refcount blocks are missing or count nothing. */
  | "refcount-blocks"
  /** Refcounts are lower than the number of references. */
  | "refcounts"
  /** Clusters are in use by nothing. */
  | "leaks";

/** One cause, and what it affects. */
export interface Damage {
  /** What happened. */
  readonly cause: DamageCause;
  /** A sentence. */
  readonly message: string;
  /** Number of clusters that are affected, if the format has clusters. */
  readonly clusters?: number;
  /** The affected parts of the guest's disk; absent if its content is not affected. */
  readonly guest?: FoldedRanges;
}

/** A summary of what is wrong with an image. */
export interface DamageSummary {
  /** In the order of their weight: what costs content comes first. */
  readonly causes: readonly Damage[];
  /** Bytes of content that are lost or cannot be read. */
  readonly affected: number;
  /** Bytes of content that the image had, the affected ones included. */
  readonly content: number;
}

/** Ranges for a person: `0x0-0x10000`, or how many there are. */
export function rangesText(ranges: FoldedRanges): string {
  const [from, to] = ranges.bounds;
  const span = `0x${from.toString(16)}-0x${to.toString(16)}`;
  return ranges.count <= 1 ? span : `${span} (${counted(ranges.count, "range")})`;
}

/** A number of things: `1,600 clusters`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}
