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

/** The rows of a table. */
export interface ListedRows {
  readonly rows: Iterable<AnatomyRow>;
  /** Rows that there was no room for. */
  readonly omitted: number;
}

/** Values that are made each time that they are read, and kept nowhere. */
export function eachTime<T>(make: () => Iterator<T>): Iterable<T> {
  return { [Symbol.iterator]: make };
}

/**
 * Turns the entries of a table into rows. Entries that continue each other are one row, so that a
 * table without surprises takes few of them; an entry with a mark has a row for itself.
 *
 * @param path of the table
 * @param entries in the order of their indices. Where all rows are listed, they are read each time that
 * the rows are, and kept nowhere.
 */
export function tableRows(
  path: string,
  entries: () => Iterable<TableEntry>,
  options: AnatomyOptions,
): ListedRows {
  const rows: AnatomyRow[] = [];
  let omitted = 0;
  if (options.rows === Infinity) {
    const all = () => runsOf(entries(), options).map((run) => rowOf(path, run));
    return { rows: eachTime(all), omitted };
  }
  for (const run of runsOf(entries(), options)) {
    if (rows.length < options.rows || isMarked(run.first, options)) rows.push(rowOf(path, run));
    else omitted++;
  }
  return { rows, omitted };
}

function* runsOf(entries: Iterable<TableEntry>, options: AnatomyOptions): Generator<Run> {
  let run: Run | undefined;
  for (const entry of entries) {
    const joins = run !== undefined && continues(run.last, entry) &&
      !isMarked(run.last, options) && !isMarked(entry, options);
    if (run !== undefined && !joins) yield run;
    run = { first: joins && run !== undefined ? run.first : entry, last: entry };
  }
  if (run !== undefined) yield run;
}

function continues(last: TableEntry, next: TableEntry): boolean {
  return next.index === last.index + 1 && next.says === last.says && next.flags === last.flags &&
    leadsOn(last.target, next.target);
}

function isMarked({ offset, bytes }: TableEntry, { marks }: AnatomyOptions): boolean {
  return marks.within(offset, bytes.length);
}

function rowOf(path: string, { first, last }: Run): AnatomyRow {
  const { offset, bytes } = first;
  const several = last.index > first.index;
  const indices = several ? `${first.index}..${last.index}` : `${first.index}`;
  const length = last.offset + last.bytes.length - offset;
  const value = [placed(first, several), first.flags, several ? "" : first.detail]
    .filter((part) => part !== undefined && part !== "").join(", ");
  return { offset, length, bytes, path: `${path}/${indices}`, value, doc: first.doc() };
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
