import type { AnatomyOptions, AnatomyRow } from "./anatomy.ts";

/** Where a table entry leads to, and when the next one continues it. */
export interface EntryTarget {
  readonly offset: number;
  /** The next entry continues this one when it leads to so many bytes further on. */
  readonly step: number;
  /** The next entry continues this one also when it leads to less than that further on. */
  readonly loose?: boolean;
}

/** An entry of a table, as a person is told of it. */
export interface TableEntry {
  readonly index: number;
  /** Byte offset of the entry in the file. */
  readonly offset: number;
  /** The entry as it is stored. */
  readonly bytes: Uint8Array;
  /** What it leads to or means: `data`. */
  readonly says: string;
  readonly target?: EntryTarget;
  /** What else is true of it: `copied`. */
  readonly flags?: string;
  /** What is said only of an entry that has a row for itself: a length, say. */
  readonly detail?: string;
  /** What it stands for: a guest offset, say. */
  readonly doc: () => string;
}

interface Run {
  readonly first: TableEntry;
  readonly last: TableEntry;
}

/**
 * Turns the entries of a table into rows. Entries that continue each other are one row, so that a
 * table without surprises takes few of them; an entry with a mark has a row for itself.
 */
export class TableRows {
  readonly #path: string;
  readonly #options: AnatomyOptions;
  readonly #rows: AnatomyRow[] = [];
  #omitted = 0;
  #run: Run | undefined;

  /** @param path of the table */
  constructor(path: string, options: AnatomyOptions) {
    this.#path = path;
    this.#options = options;
  }

  /** Adds an entry; its index is larger than that of the one before. */
  add(entry: TableEntry): void {
    const run = this.#run;
    if (run !== undefined && this.#continues(run.last, entry)) {
      this.#run = { first: run.first, last: entry };
      return;
    }
    this.#close();
    this.#run = { first: entry, last: entry };
  }

  /** The rows, and how many there was no room for. */
  done(): { rows: readonly AnatomyRow[]; omitted: number } {
    this.#close();
    return { rows: this.#rows, omitted: this.#omitted };
  }

  #continues(last: TableEntry, next: TableEntry): boolean {
    if (next.index !== last.index + 1 || next.says !== last.says) return false;
    if (next.flags !== last.flags || !leadsOn(last.target, next.target)) return false;
    return !this.#isMarked(last) && !this.#isMarked(next);
  }

  #isMarked({ offset, bytes }: TableEntry): boolean {
    return this.#options.marks.within(offset, bytes.length);
  }

  #close(): void {
    const run = this.#run;
    this.#run = undefined;
    if (run === undefined) return;
    if (this.#rows.length >= this.#options.rows && !this.#isMarked(run.first)) this.#omitted++;
    else this.#rows.push(this.#rowOf(run));
  }

  #rowOf({ first, last }: Run): AnatomyRow {
    const { offset, bytes } = first;
    const several = last.index > first.index;
    const indices = several ? `${first.index}..${last.index}` : `${first.index}`;
    const length = last.offset + last.bytes.length - offset;
    const value = [placed(first, several), first.flags, several ? "" : first.detail]
      .filter((part) => part !== undefined && part !== "").join(", ");
    return { offset, length, bytes, path: `${this.#path}/${indices}`, value, doc: first.doc() };
  }
}

function leadsOn(last: EntryTarget | undefined, next: EntryTarget | undefined): boolean {
  if (last === undefined || next === undefined) return last === next;
  const distance = next.offset - last.offset;
  return distance === last.step || last.loose === true && distance > 0 && distance < last.step;
}

function placed({ says, target }: TableEntry, several: boolean): string {
  if (target === undefined) return says;
  const from = `${says} at 0x${target.offset.toString(16)}`;
  return several ? `${from} and on` : from;
}
