import type { AnatomyRow, Part } from "../format/mod.ts";

/** A note about a place in an image, such as a finding. */
export interface Note {
  /** Byte offset in the file; absent or `null`, and text, where there is none that can be shown. */
  readonly offset?: number | string | null;
  readonly path: string;
  readonly message: string;
  readonly rule?: string;
}

/** Puts notes to the rows and parts that they are about. */
export class Placing {
  /** By part, and by what a row of it is known by: rows may be made each time that they are read. */
  readonly #rows = new Map<Part, Map<string, Note[]>>();
  readonly #parts = new Map<Part, Note[]>();
  readonly #loose: Note[] = [];

  constructor(parts: readonly Part[], notes: readonly Note[]) {
    const notesOf = new Map<Part, Note[]>();
    for (const note of notes) {
      const part = partOf(note, parts);
      if (part === undefined) this.#loose.push(note);
      else add(notesOf, part, note);
    }
    for (const [part, its] of notesOf) this.#place(part, its);
  }

  ofRow(part: Part, row: AnatomyRow): readonly Note[] {
    return this.#rows.get(part)?.get(keyOf(row)) ?? [];
  }

  ofPart(part: Part): readonly Note[] {
    return this.#parts.get(part) ?? [];
  }

  /** Notes about a stretch of the file that are not about a part. */
  within(offset: number, length: number): readonly Note[] {
    return this.#loose.filter((note) =>
      typeof note.offset === "number" && note.offset >= offset && note.offset < offset + length
    );
  }

  /** Notes that are not about a part. */
  get loose(): readonly Note[] {
    return this.#loose;
  }

  /** Puts notes about a part to the first row that each is about, in one pass through its rows. */
  #place(part: Part, notes: readonly Note[]): void {
    const pending = new Set(notes.filter(({ path }) => path !== part.path));
    const rows = new Map<string, Note[]>();
    const placed = new Set<Note>();
    for (const row of pending.size === 0 ? [] : part.rows) {
      for (const note of pending) {
        if (!isAbout(note, row)) continue;
        add(rows, keyOf(row), note);
        placed.add(note);
        pending.delete(note);
      }
      if (pending.size === 0) break;
    }
    this.#rows.set(part, rows);
    this.#parts.set(part, notes.filter((note) => !placed.has(note)));
  }
}

/** The part that a note is about: by its offset and its kind, or else by its path. */
function partOf(note: Note, parts: readonly Part[]): Part | undefined {
  const { offset } = note;
  const kind = kindOf(note.path);
  const here = typeof offset === "number"
    ? parts.filter((part) =>
      offset >= part.offset && offset < part.offset + part.length &&
      isInside(kind, kindOf(part.path))
    )
    : [];
  return mostSpecific(here) ?? parts.find((part) => part.path === note.path);
}

function keyOf({ path, offset }: AnatomyRow): string {
  return `${offset} ${path}`;
}

function isAbout(note: Note, row: AnatomyRow): boolean {
  const { offset } = note;
  if (typeof offset !== "number") return row.path === note.path;
  return offset >= row.offset && offset < row.offset + row.length;
}

/** A path without its numbers, which are not the same for everyone who walks the tables. */
function kindOf(path: string): string {
  return path.replaceAll(/\[\d+\]/g, "[]");
}

function isInside(path: string, part: string): boolean {
  return path === part || path.startsWith(`${part}/`);
}

function mostSpecific(parts: readonly Part[]): Part | undefined {
  return parts.toSorted((a, b) => b.path.length - a.path.length)[0];
}

function add<K>(map: Map<K, Note[]>, key: K, note: Note): void {
  const notes = map.get(key);
  if (notes === undefined) map.set(key, [note]);
  else notes.push(note);
}
