/**
 * The language of declarative structures.
 *
 * Invariants:
 *
 * - Each on-disk structure is described once. The offset of a field results from the widths of the
 *   fields before it and is never written.
 * - Decoding is total, and `encode(decode(b))` equals `b` for every description.
 * - The byte order of integers is a property of the structure.
 * - Field names are the specification's own.
 * - A constraint is data and names its rule. Its bound is written only once: other code uses
 *   {@link boundOf} and {@link rangeOf}, and {@link judgeOf} reports what breaks it.
 *
 * @module
 */

export { annotate, type Row } from "./annotate.ts";
export { type BitMask, bitMask, reservedMask } from "./bits.ts";
export { allowed, boundariesOf, boundOf, isAligned, type Range, rangeOf } from "./bounds.ts";
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
  boundIn,
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
  addBroken,
  type Breach,
  constraintsOf,
  firstBroken,
  judgeOf,
  type Judging,
  type KnownBreach,
  knownBroken,
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
