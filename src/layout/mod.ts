/**
 * The language of declarative structures.
 *
 * Invariants:
 *
 * - Each on-disk structure is described once; a field's place follows from the widths before it, so
 *   no offset is ever written down.
 * - Decoding is total, and `encode(decode(b))` equals `b` for every description.
 * - The byte order of integers is a property of the structure.
 * - Field names are the specification's own.
 * - A constraint is data and names its rule. Its bound is written here alone: {@link boundOf} and
 *   {@link rangeOf} give it to whoever needs it, and {@link judgeOf} finds what breaks it.
 *
 * @module
 */

export { annotate, type Row } from "./annotate.ts";
export { type BitMask, bitMask, reservedMask } from "./bits.ts";
export { boundariesOf, boundOf, isAligned, type Range, rangeOf } from "./bounds.ts";
export {
  blank,
  decode,
  encode,
  encodeInto,
  readField,
  readUint,
  writeField,
  writeUint,
} from "./codec.ts";
export {
  type Bound,
  type Constraint,
  type Context,
  type Requirement,
  rulesOf,
} from "./constraint.ts";
export {
  type BigIntField,
  type BitRange,
  type ByteOrder,
  bytes,
  type BytesField,
  type Field,
  type FieldNotes,
  type NumberField,
  u16,
  u32,
  u64,
  u8,
  type Unit,
} from "./field.ts";
export {
  type Breach,
  constraintsOf,
  firstBroken,
  judgeOf,
  type Judging,
  type Sink,
} from "./judge.ts";
export {
  type Decoded,
  type FieldName,
  fieldOf,
  offsetOf,
  type Struct,
  struct,
  type ValueOf,
} from "./struct.ts";
