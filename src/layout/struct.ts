import type { ByteOrder, Field } from "./field.ts";

/** A structure of fixed size: its fields in the order of their bytes, without gaps. */
export interface Struct<Fields extends readonly Field[] = readonly Field[]> {
  /** Stable name, such as `qcow2.header`. */
  readonly name: string;
  /** Section of the specification that defines it. */
  readonly section: string;
  /** Byte order of its integers. */
  readonly byteOrder: ByteOrder;
  /** The fields, in the order of their bytes. */
  readonly fields: Fields;
  /** Length in bytes. */
  readonly size: number;
  /** Byte offset of each field from the start of the structure. */
  readonly offsets: { readonly [F in Fields[number] as F["name"]]: number };
}

/** The decoded form of a field. */
export type ValueOf<F extends Field> = F extends { kind: "number" } ? number
  : F extends { kind: "bigint" } ? bigint
  : Uint8Array;

/** The decoded form of a structure. */
export type Decoded<S extends Struct> = {
  [F in S["fields"][number] as F["name"]]: ValueOf<F>;
};

/** Name of a field of a structure. */
export type FieldName<S extends Struct> = S["fields"][number]["name"] & string;

/**
 * Describes a structure.
 *
 * @example
 * ```ts
 * import { decode, struct, u32, u64 } from "./mod.ts";
 *
 * const point = struct("example.point", { section: "1.2", size: 12 }, [
 *   u32("x", { doc: "Distance from the left.", unit: "bytes" }),
 *   u64("y", { doc: "Distance from the top.", unit: "bytes" }),
 * ]);
 * const { x, y } = decode(point, new Uint8Array(12)); // x: number, y: bigint
 * ```
 *
 * @param about.byteOrder of its integers; `big` by default
 * @throws {TypeError} if the widths do not add up to `size` or a name is used twice. Such a mistake is
 * found when the module is loaded.
 */
export function struct<const Fields extends readonly Field[]>(
  name: string,
  about: { section: string; size: number; byteOrder?: ByteOrder },
  fields: Fields,
): Struct<Fields> {
  const offsets: Record<string, number> = {};
  let end = 0;
  for (const field of fields) {
    if (field.name in offsets) throw new TypeError(`Cannot describe ${name}: ${field.name} twice`);
    offsets[field.name] = end;
    end += field.width;
  }
  if (end !== about.size) {
    throw new TypeError(`Cannot describe ${name}: fields take ${end} bytes, not ${about.size}`);
  }
  const { section, size, byteOrder = "big" } = about;
  const ordered = byteOrder === "big"
    ? fields
    : fields.map((field) => field.kind === "bytes" ? field : { ...field, byteOrder });
  return Object.freeze({
    ...{ name, section, byteOrder, size, offsets },
    fields: ordered,
  }) as unknown as Struct<Fields>;
}

/** The description of one field. */
export function fieldOf<S extends Struct>(struct: S, name: FieldName<S>): Field {
  const field = struct.fields.find((candidate) => candidate.name === name);
  if (field === undefined) throw new TypeError(`Cannot find a field ${name} in ${struct.name}`);
  return field;
}

/** Byte offset of a field from the start of its structure. */
export function offsetOf<S extends Struct>(struct: S, name: FieldName<S>): number {
  return (struct.offsets as Record<string, number>)[name] as number;
}
