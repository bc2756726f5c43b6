import type { ByteOrder, Field } from "./field.ts";
import type { Decoded, Struct } from "./struct.ts";

/** Reads an integer at `at`. Bytes past the end of `from` are zeros. */
function decodeInteger(
  field: Exclude<Field, { kind: "bytes" }>,
  from: Uint8Array,
  at: number,
): number | bigint {
  const little = field.byteOrder === "little";
  if (field.kind === "number") return uintAt(from, at, { width: field.width, little });
  const [high, low] = little ? [at + 4, at] : [at, at + 4];
  const half = { width: 4, little };
  return (BigInt(uintAt(from, high, half)) << 32n) | BigInt(uintAt(from, low, half));
}

function uintAt(
  from: Uint8Array,
  at: number,
  { width, little }: { width: number; little: boolean },
): number {
  let value = 0;
  for (let i = 0; i < width; i++) {
    value = value * 256 + (from[little ? at + width - 1 - i : at + i] ?? 0);
  }
  return value;
}

/**
 * Decodes a structure. Total: accepts any bytes, and missing bytes count as zeros.
 *
 * @param at byte offset of the structure in `from`
 */
export function decode<S extends Struct>(struct: S, from: Uint8Array, at = 0): Decoded<S> {
  const decoded: Record<string, unknown> = {};
  // One copy for all fields that are bytes: memory for each of them would take longer.
  let copy: Uint8Array | undefined;
  let offset = 0;
  for (const field of struct.fields) {
    const end = offset + field.width;
    if (field.kind === "bytes") {
      copy ??= paddedCopy(from, at, struct.size);
      decoded[field.name] = copy.subarray(offset, end);
    } else decoded[field.name] = decodeInteger(field, from, at + offset);
    offset = end;
  }
  return decoded as Decoded<S>;
}

/** A copy of bytes; those past the end of `from` are zeros. */
function paddedCopy(from: Uint8Array, at: number, length: number): Uint8Array {
  const padded = new Uint8Array(length);
  padded.set(from.subarray(at, at + length));
  return padded;
}

/** Writes an unsigned integer of `width` bytes, truncated to that width. */
export function writeUint(
  target: Uint8Array,
  at: number,
  width: number,
  value: bigint,
  byteOrder: ByteOrder = "big",
): void {
  let rest = BigInt.asUintN(8 * width, value);
  for (let i = width - 1; i >= 0; i--) {
    target[at + (byteOrder === "big" ? i : width - 1 - i)] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}

/** Reads an unsigned integer of `width` bytes. Bytes past the end are zeros. */
export function readUint(
  from: Uint8Array,
  at: number,
  width: number,
  byteOrder: ByteOrder = "big",
): bigint {
  let value = 0n;
  for (let i = 0; i < width; i++) {
    const next = byteOrder === "big" ? i : width - 1 - i;
    value = (value << 8n) | BigInt(from[at + next] ?? 0);
  }
  return value;
}

/** The byte order of a field. For bytes, which have none, it is `big`. */
function orderOf(field: Field): ByteOrder {
  return field.kind === "bytes" ? "big" : field.byteOrder ?? "big";
}

/** Reads the integer in a field that starts at byte `at`. Bytes past the end are zeros. */
export function readField(field: Field, from: Uint8Array, at = 0): bigint {
  return readUint(from, at, field.width, orderOf(field));
}

/** Writes an integer, truncated to the width, to a field that starts at byte `at`. */
export function writeField(
  field: Field,
  value: bigint,
  { target, at }: { target: Uint8Array; at: number },
): void {
  writeUint(target, at, field.width, value, orderOf(field));
}

/** Encodes a structure; the inverse of {@link decode}. */
export function encode<S extends Struct>(struct: S, value: Decoded<S>): Uint8Array {
  const target = new Uint8Array(struct.size);
  encodeInto(struct, value, { target, at: 0 });
  return target;
}

/** Encodes a structure into existing bytes. */
export function encodeInto<S extends Struct>(
  struct: S,
  value: Decoded<S>,
  place: { target: Uint8Array; at: number },
): void {
  let position = place.at;
  for (const field of struct.fields) {
    const part = (value as Record<string, number | bigint | Uint8Array>)[field.name];
    if (part instanceof Uint8Array) place.target.set(part.subarray(0, field.width), position);
    else writeField(field, BigInt(part ?? 0), { target: place.target, at: position });
    position += field.width;
  }
}

/** A structure with every field zero, as a starting point for writers. */
export function blank<S extends Struct>(struct: S): Decoded<S> {
  return decode(struct, new Uint8Array(0));
}
