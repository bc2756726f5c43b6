import type { Row } from "../layout/mod.ts";
import type { Dialect } from "./dialect.ts";

/** A line of an anatomy: a field of a structure, or some entries of a table that belong together. */
export interface AnatomyRow extends Row {
  /** Length in bytes; `bytes` holds the first entry alone where there are several. */
  readonly length: number;
}

/** A structure or a table at its place in the file. */
export interface Part {
  /** As findings call it: `/header`, `/l2[3]`. */
  readonly path: string;
  /** What it is, in a few words. */
  readonly title: string;
  /** Byte offset in the file. */
  readonly offset: number;
  /** Length in bytes, as the image says. */
  readonly length: number;
  /** Those of a table may be made each time that they are read: there may be millions. */
  readonly rows: Iterable<AnatomyRow>;
  /** Rows that there was no room for. */
  readonly omitted: number;
}

/** What a stretch of the file is used for. */
export type ClaimKind = "header" | "table" | "data" | "compressed";

/** A stretch of the file that something in the image leads to. */
export interface Claim {
  /** Byte offset in the file. */
  readonly offset: number;
  /** Length in bytes. */
  readonly length: number;
  /** The kind of use. */
  readonly kind: ClaimKind;
  /** What leads to it: the path of a part, or of an entry. */
  readonly path: string;
  /** What it holds, where there is more to say: `guest 0x10000`. */
  readonly says?: string;
}

/** What an image file is made of. */
export interface Anatomy {
  /** In no order: an image may put one structure on top of another. */
  readonly parts: readonly Part[];
  /** What uses which bytes of the file. */
  readonly claims: Iterable<Claim>;
  /** What is not listed. */
  readonly gaps: readonly string[];
  /** All that claims a part of the file was looked at. */
  readonly complete: boolean;
}

/** How much of an image is listed. */
export interface AnatomyOptions {
  /** Rows that are listed of one table at most. */
  readonly rows: number;
  /** Tables of one sort that are listed at most. */
  readonly tables: number;
  /** Table entries that are looked at at most. */
  readonly entries: number;
  /** What is there is listed in any case, and an entry in a row of its own. */
  readonly marks: Marks;
  /** For `qcow2`: read the image as this draft of the format says. */
  readonly dialect?: Dialect;
}

/** Byte offsets in a file that somebody wants to see. */
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
}
