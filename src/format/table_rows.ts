import type { AnatomyOptions, AnatomyRow } from "./anatomy.ts";

/** The target of a table entry, and the condition for the next one to continue it. */
export interface EntryTarget {
  readonly offset: number;
  /** The next entry continues this one if its target is this number of bytes further. */
  readonly step: number;
  /** The next entry also continues this one if its target is less than that further. */
  readonly loose?: boolean;
}

/** A table entry as it is shown, or several. */
export interface TableEntry {
  readonly index: number;
  /**
   * Number of entries from this one on, each of which continues the one before; 1 by default. If there
   * are several, none is marked.
   */
  readonly count?: number;
  /** Byte offset of the entry in the file. */
  readonly offset: number;
  /** The stored bytes of the entry. */
  readonly bytes: Uint8Array;
  /** Its target or meaning: `data`. */
  readonly says: string;
  readonly target?: EntryTarget;
  /** Flags: `copied`. */
  readonly flags?: string;
  /** Details that are shown only if the entry has a separate row, such as a length. */
  readonly detail?: string;
  /** What it represents, such as a guest offset. */
  readonly doc: () => string;
}

interface Run {
  readonly first: TableEntry;
  readonly last: TableEntry;
}

/** The rows of a table. */
export interface ListedRows {
  readonly rows: Iterable<AnatomyRow>;
  /** Number of rows that are omitted. */
  readonly omitted: number;
}

/** Values that are computed on each iteration and not stored. */
export function eachTime<T>(make: () => Iterator<T>): Iterable<T> {
  return { [Symbol.iterator]: make };
}

/**
 * Turns the entries of a table into rows. Entries that continue each other become one row, so that
 * regular tables have few rows. A marked entry has a separate row.
 *
 * @param path of the table
 * @param entries in the order of their indices. If all rows are listed, the entries are read again on
 * each iteration and not stored.
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
    run = { first: joins && run !== undefined ? run.first : entry, last: lastOf(entry) };
  }
  if (run !== undefined) yield run;
}

function lastOf(entry: TableEntry): TableEntry {
  const { count = 1, index, offset, bytes, target } = entry;
  if (count === 1) return entry;
  const after = count - 1;
  const at = { index: index + after, offset: offset + after * bytes.length };
  if (target === undefined) return { ...entry, ...at };
  return { ...entry, ...at, target: { ...target, offset: target.offset + after * target.step } };
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
