import type { Constraint } from "./constraint.ts";

/**
 * The words in which an on-disk structure is described. A description is frozen plain data; decoding,
 * encoding, listing, dumping, generating and violating all work from it.
 */

/** What the number in a field counts. */
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
  /** The bits have no meaning. A constraint of the field says which rule wants them clear. */
  readonly reserved?: true;
}

/** Constraints and remarks on a field; all but `doc` optional, all data. */
export interface FieldNotes {
  /** One line on what the field means. */
  readonly doc: string;
  /** The unit of the number. */
  readonly unit?: Unit;
  /** The values with a meaning, by name. */
  readonly values?: Readonly<Record<string, number | bigint>>;
  /** What the bits of the field mean. */
  readonly bits?: readonly BitRange[];
  /** Name of the structure that an offset in this field leads to. */
  readonly pointsTo?: string;
  /** What an image has to satisfy, each with the rule that says so, in the order of judgement. */
  readonly constraints?: readonly Constraint[];
  /** Section of the specification, where it is not the structure's own. */
  readonly section?: string;
}

/** Which byte of an integer comes first: the most significant one is `big`. */
export type ByteOrder = "big" | "little";

/** An unsigned integer of 1 to 4 bytes; a `number` when decoded. */
export interface NumberField<Name extends string = string> extends FieldNotes {
  /** How the value is decoded. */
  readonly kind: "number";
  /** The specification's name of the field. */
  readonly name: Name;
  /** Width in bytes. */
  readonly width: 1 | 2 | 4;
  /** That of the structure, which sets it; `big` where it is absent. */
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
  /** That of the structure, which sets it; `big` where it is absent. */
  readonly byteOrder?: ByteOrder;
}

/** Bytes without a number's meaning; a `Uint8Array` when decoded. */
export interface BytesField<Name extends string = string> extends FieldNotes {
  /** How the value is decoded. */
  readonly kind: "bytes";
  /** The specification's name of the field. */
  readonly name: Name;
  /** Width in bytes. */
  readonly width: number;
}

/** Any field of a structure. Its place follows from the widths of the fields before it. */
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
