import type { Placed } from "../../src/format/mod.ts";
import type { Field, Struct } from "../../src/layout/mod.ts";

/** A field of a placed structure, or of one element of a placed table. */
export interface FieldPlace {
  readonly path: string;
  /** Byte offset in the file. */
  readonly offset: number;
  readonly field: Field;
}

const known = new WeakMap<readonly Placed[], Places>();

/** Finds the places that paths name in a built image. */
export class Places {
  readonly #byPath: ReadonlyMap<string, Placed>;

  constructor(placed: readonly Placed[]) {
    this.#byPath = new Map(placed.map((place) => [place.path, place]));
  }

  /** The places of an image, whose paths are looked at once. */
  static of(placed: readonly Placed[]): Places {
    const made = known.get(placed) ?? new Places(placed);
    known.set(placed, made);
    return made;
  }

  /** The structure, table or bytes with a path. An element of a table is a place of its own. */
  place(path: string): Placed | undefined {
    const whole = this.#byPath.get(path);
    if (whole !== undefined) return whole;
    const cut = path.lastIndexOf("/");
    const table = this.#byPath.get(path.slice(0, cut));
    const index = Number(path.slice(cut + 1));
    if (table?.struct === undefined || table.count === undefined) return undefined;
    if (!Number.isInteger(index) || index < 0 || index >= table.count) return undefined;
    const { struct, role } = table;
    return { path, offset: table.offset + index * struct.size, length: struct.size, struct, role };
  }

  /** Where what a path belongs to starts: at the header that has the longest part of it. */
  start(path: string): number {
    for (let cut = path.lastIndexOf("/"); cut > 0; cut = path.lastIndexOf("/", cut - 1)) {
      const header = this.#byPath.get(`${path.slice(0, cut)}/header`);
      if (header !== undefined) return header.offset;
    }
    return 0;
  }

  /** The field with a path: that of a structure or of a table's element, and the field's name. */
  field(path: string): FieldPlace | undefined {
    const cut = path.lastIndexOf("/");
    const owner = this.place(path.slice(0, cut));
    if (owner?.struct === undefined || owner.count !== undefined) return undefined;
    return fieldIn(owner.struct, { path, offset: owner.offset, name: path.slice(cut + 1) });
  }
}

function fieldIn(
  struct: Struct,
  at: { path: string; offset: number; name: string },
): FieldPlace | undefined {
  const field = struct.fields.find((candidate) => candidate.name === at.name);
  if (field === undefined) return undefined;
  const within = (struct.offsets as Record<string, number>)[at.name] as number;
  return { path: at.path, offset: at.offset + within, field };
}
