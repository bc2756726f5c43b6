import type { Constraint } from "./constraint.ts";

/**
 * The elements of the description of an on-disk structure. A description is frozen plain data; decoding,
 * encoding, listing, dumping, generating and mutating all use it.
 */

/** Unit of the number in a field. */
export type Unit =
  | "bytes"
  | "sectors"
  | "clusters"
  | "entries"
  | "bits"
  | "seconds"
  | "nanoseconds";

/** A run of bits with a name inside an integer field; bit 0 is the least significant. */
export interface BitRange {
  /** The specification's name of the field. */
  readonly name: string;
  /** The first bit. */
  readonly from: number;
  /** The last bit, inclusive. */
  readonly to: number;
  /** What the field means. */
  readonly doc: string;
  /** The bits have no meaning. A constraint of the field names the rule that requires them to be clear. */
  readonly reserved?: true;
}

/** Documentation and constraints of a field. Only `doc` is required. */
export interface FieldNotes {
  /** One-line description of the field. */
  readonly doc: string;
  /** The unit of the number. */
  readonly unit?: Unit;
  /** The values with a meaning, by name. */
  readonly values?: Readonly<Record<string, number | bigint>>;
  /** Meaning of the bits of the field. */
  readonly bits?: readonly BitRange[];
  /** Name of the structure that an offset in this field points to. */
  readonly pointsTo?: string;
  /** Constraints that an image must satisfy, with their rules, in the order in which they are judged. */
  readonly constraints?: readonly Constraint[];
  /** Section of the specification, if it differs from that of the structure. */
  readonly section?: string;
}

/** Byte order of integers. */
export type ByteOrder = "big" | "little";

/** An unsigned integer of 1 to 4 bytes; a `number` when decoded. */
export interface NumberField<Name extends string = string> extends FieldNotes {
  /** How the value is decoded. */
  readonly kind: "number";
  /** The specification's name of the field. */
  readonly name: Name;
  /** Width in bytes. */
  readonly width: 1 | 2 | 4;
  /** Set from the structure; `big` if absent. */
  readonly byteOrder?: ByteOrder;
}

/** An unsigned integer of 8 bytes; a `bigint` when decoded. */
export interface BigIntField<Name extends string = string> extends FieldNotes {
  /** How the value is decoded. */
  readonly kind: "bigint";
  /** The specification's name of the field. */
  readonly name: Name;
  /** Width in bytes. */
  readonly width: 8;
  /** Set from the structure; `big` if absent. */
  readonly byteOrder?: ByteOrder;
}

/** Bytes that are not a number; a `Uint8Array` when decoded. */
export interface BytesField<Name extends string = string> extends FieldNotes {
  /** How the value is decoded. */
  readonly kind: "bytes";
  /** The specification's name of the field. */
  readonly name: Name;
  /** Width in bytes. */
  readonly width: number;
}

/** Any field of a structure. Its offset results from the widths of the fields before it. */
export type Field<Name extends string = string> =
  | NumberField<Name>
  | BigIntField<Name>
  | BytesField<Name>;

/** An 8-bit unsigned integer. */
export function u8<const Name extends string>(name: Name, notes: FieldNotes): NumberField<Name> {
  return { kind: "number", name, width: 1, ...notes };
}

/** A 16-bit unsigned integer. */
export function u16<const Name extends string>(name: Name, notes: FieldNotes): NumberField<Name> {
  return { kind: "number", name, width: 2, ...notes };
}

/** A 32-bit unsigned integer. */
export function u32<const Name extends string>(name: Name, notes: FieldNotes): NumberField<Name> {
  return { kind: "number", name, width: 4, ...notes };
}

/** A 64-bit unsigned integer. */
export function u64<const Name extends string>(name: Name, notes: FieldNotes): BigIntField<Name> {
  return { kind: "bigint", name, width: 8, ...notes };
}

/** `width` bytes. */
export function bytes<const Name extends string>(
  name: Name,
  width: number,
  notes: FieldNotes,
): BytesField<Name> {
  return { kind: "bytes", name, width, ...notes };
}
