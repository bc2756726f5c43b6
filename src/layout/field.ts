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
  readonly name: string;
  readonly from: number;
  /** The last bit, inclusive. */
  readonly to: number;
  readonly doc: string;
  /** A reserved run: what a reader has to make of bits that are set in it. */
  readonly reserved?: "must-be-zero" | "ignored";
}

/** Constraints and remarks on a field; all optional, all data. */
export interface FieldNotes {
  /** One line on what the field means. */
  readonly doc: string;
  readonly unit?: Unit;
  /** Smallest and largest value that the specification allows. */
  readonly min?: number | bigint;
  readonly max?: number | bigint;
  /** The value must be a multiple of this; `cluster` stands for the image's cluster size. */
  readonly aligned?: "cluster" | number;
  /** The only values with a meaning, by name. */
  readonly values?: Readonly<Record<string, number | bigint>>;
  /** What the bits of the field mean. */
  readonly bits?: readonly BitRange[];
  /** Name of the structure that an offset in this field leads to. */
  readonly pointsTo?: string;
  /** Padding or reserved: not a value, but bytes that a reader has to treat in a given way. */
  readonly reserved?: "must-be-zero" | "ignored";
  /** Section of the specification, where it is not the structure's own. */
  readonly section?: string;
}

/** Which byte of an integer comes first: the most significant one is `big`. */
export type ByteOrder = "big" | "little";

/** An unsigned integer of 1 to 4 bytes; a `number` when decoded. */
export interface NumberField<Name extends string = string> extends FieldNotes {
  readonly kind: "number";
  readonly name: Name;
  readonly width: 1 | 2 | 4;
  /** That of the structure, which sets it; `big` where it is absent. */
  readonly byteOrder?: ByteOrder;
}

/** An unsigned integer of 8 bytes; a `bigint` when decoded. */
export interface BigIntField<Name extends string = string> extends FieldNotes {
  readonly kind: "bigint";
  readonly name: Name;
  readonly width: 8;
  /** That of the structure, which sets it; `big` where it is absent. */
  readonly byteOrder?: ByteOrder;
}

/** Bytes without a number's meaning; a `Uint8Array` when decoded. */
export interface BytesField<Name extends string = string> extends FieldNotes {
  readonly kind: "bytes";
  readonly name: Name;
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
