import type { Row } from "../layout/mod.ts";
import type { Dialect } from "./dialect.ts";

/** A row of an anatomy: a field of a structure, or adjacent entries of a table. */
export interface AnatomyRow extends Row {
  /** Length in bytes. If there are several entries, `bytes` contains only the first one. */
  readonly length: number;
}

/** A structure or a table in the file. */
export interface Part {
  /** Path as in findings: `/header`, `/l2[3]`. */
  readonly path: string;
  /** Short description. */
  readonly title: string;
  /** Byte offset in the file. */
  readonly offset: number;
  /** Length in bytes, as stored in the image. */
  readonly length: number;
  /** Rows of a table may be computed on each iteration because there may be millions. */
  readonly rows: Iterable<AnatomyRow>;
  /** Number of rows that are omitted. */
  readonly omitted: number;
}

/** The use of a range of the file. */
export type ClaimKind = "header" | "table" | "data" | "compressed";

/** A range of the file that something in the image refers to. */
export interface Claim {
  /** Byte offset in the file. */
  readonly offset: number;
  /** Length in bytes. */
  readonly length: number;
  /** The kind of use. */
  readonly kind: ClaimKind;
  /** Path of the part or entry that refers to it. */
  readonly path: string;
  /** Additional information about its content: `guest 0x10000`. */
  readonly says?: string;
}

/** The structures of an image file. */
export interface Anatomy {
  /** In no particular order. Structures of an image may overlap. */
  readonly parts: readonly Part[];
  /** What uses which bytes of the file. */
  readonly claims: Iterable<Claim>;
  /** Parts that are not listed. */
  readonly gaps: readonly string[];
  /** Everything that claims a part of the file was inspected. */
  readonly complete: boolean;
}

/** Limits on the listing of an image. */
export interface AnatomyOptions {
  /** Maximum number of rows of one table. */
  readonly rows: number;
  /** Maximum number of tables of one kind. */
  readonly tables: number;
  /** Maximum number of table entries that are inspected. */
  readonly entries: number;
  /** Structures at these offsets are always listed, and entries there in separate rows. */
  readonly marks: Marks;
  /** For `qcow2`: read the image according to this draft of the format. */
  readonly dialect?: Dialect;
}

/** Marked byte offsets in a file. */
export class Marks {
  readonly #offsets: Float64Array;

  /** Offsets of which rows and entries are kept. */
  constructor(offsets: Iterable<number>) {
    this.#offsets = Float64Array.from(offsets).sort();
  }

  /** Whether one of them is in `[offset, offset + length)`. */
  within(offset: number, length: number): boolean {
    let low = 0;
    let high = this.#offsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#offsets[middle] as number) < offset) low = middle + 1;
      else high = middle;
    }
    return low < this.#offsets.length && (this.#offsets[low] as number) < offset + length;
  }

  /** A number of entries from `offset` on, at least 1, of which none is marked if there are several. */
  unmarked(offset: number, entries: number, entryBytes: number): number {
    let count = entries;
    while (count > 1 && this.within(offset, count * entryBytes)) count >>>= 1;
    return count;
  }
}
