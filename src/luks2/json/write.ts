import type { Json } from "../../format/mod.ts";
import type { Named, ReadOf } from "./read.ts";
import { allMembers, type Member } from "./schema.ts";

/** The input for writing a value: like the result of reading, with maps by name and optional members. */
export type Written<T> = T extends string | number | bigint | Uint8Array | readonly string[] ? T
  : T extends readonly (infer E)[] ? Readonly<Record<string, Written<Omit<E, keyof Named>>>>
  : T extends undefined ? undefined
  : { readonly [Name in keyof T]?: Written<T[Name]> };

/** Writes a value according to its description, with its members in the given order. */
export function write<const M extends Member>(shape: M, value: Written<ReadOf<M>>): Json {
  return writeAny(shape, value);
}

function writeAny(shape: Member, value: unknown): Json {
  switch (shape.sort) {
    case "digits":
      return value === undefined ? shape.word ?? "" : String(value);
    case "base64":
      return btoa(String.fromCharCode(...value as Uint8Array));
    case "object": {
      const members = allMembers(shape);
      return writeEach(value as object, (name) => members[name]);
    }
    case "map":
      return writeEach(value as object, () => shape.entry);
    default:
      return value as Json;
  }
}

function writeEach(value: object, shapeOf: (name: string) => Member | undefined): Json {
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => {
      const shape = shapeOf(name);
      if (shape === undefined) throw new TypeError(`Cannot write ${name}: it is not described`);
      return [name, writeAny(shape, part)];
    }),
  );
}
