import type { AnatomyRow, Part } from "../format/mod.ts";

/** Something to say of a place in an image; a finding is one. */
export interface Note {
  /** Byte offset in the file; absent or `null`, and text, where there is none that can be shown. */
  readonly offset?: number | string | null;
  readonly path: string;
  readonly message: string;
  readonly rule?: string;
}

/** Puts notes to the rows and parts that they are about. */
export class Placing {
  readonly #rows = new Map<AnatomyRow, Note[]>();
  readonly #parts = new Map<Part, Note[]>();
  readonly #loose: Note[] = [];

  constructor(parts: readonly Part[], notes: readonly Note[]) {
    for (const note of notes) this.#place(note, parts);
  }

  ofRow(row: AnatomyRow): readonly Note[] {
    return this.#rows.get(row) ?? [];
  }

  ofPart(part: Part): readonly Note[] {
    return this.#parts.get(part) ?? [];
  }

  /** Notes about a stretch of the file that no part took. */
  within(offset: number, length: number): readonly Note[] {
    return this.#loose.filter((note) =>
      typeof note.offset === "number" && note.offset >= offset && note.offset < offset + length
    );
  }

  /** Notes that no part took. */
  get loose(): readonly Note[] {
    return this.#loose;
  }

  #place(note: Note, parts: readonly Part[]): void {
    const { offset } = note;
    const kind = kindOf(note.path);
    const same = parts.filter((part) => isInside(kind, kindOf(part.path)));
    const here = typeof offset === "number"
      ? same.filter((part) => offset >= part.offset && offset < part.offset + part.length)
      : [];
    const part = mostSpecific(here) ?? parts.find((candidate) => candidate.path === note.path);
    const row = part?.rows.find((candidate) => isAbout(note, candidate));
    if (row !== undefined && part?.path !== note.path) add(this.#rows, row, note);
    else if (part !== undefined && (here.length > 0 || part.path === note.path)) {
      add(this.#parts, part, note);
    } else this.#loose.push(note);
  }
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
  map.set(key, [...map.get(key) ?? [], note]);
}
