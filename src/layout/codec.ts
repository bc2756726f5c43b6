import type { Field } from "./field.ts";
import type { Decoded, Struct } from "./struct.ts";

/** Reads one field at `at`, zeros where it runs past the end of `from`. */
function decodeField(field: Field, from: Uint8Array, at: number): number | bigint | Uint8Array {
  if (field.kind === "bytes") {
    const value = new Uint8Array(field.width);
    value.set(from.subarray(at, at + field.width));
    return value;
  }
  if (field.kind === "bigint") {
    return (BigInt(uintAt(from, at, 4)) << 32n) | BigInt(uintAt(from, at + 4, 4));
  }
  return uintAt(from, at, field.width);
}

function uintAt(from: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = 0; i < width; i++) value = value * 256 + (from[at + i] ?? 0);
  return value;
}

/**
 * Decodes a structure. Total: any bytes give a value, and bytes that are missing count as zeros.
 *
 * @param at byte offset of the structure in `from`
 */
export function decode<S extends Struct>(struct: S, from: Uint8Array, at = 0): Decoded<S> {
  const decoded: Record<string, unknown> = {};
  let position = at;
  for (const field of struct.fields) {
    decoded[field.name] = decodeField(field, from, position);
    position += field.width;
  }
  return decoded as Decoded<S>;
}

/** Writes one integer field's value, big-endian, cut to the field's width. */
export function writeUint(target: Uint8Array, at: number, width: number, value: bigint): void {
  let rest = BigInt.asUintN(8 * width, value);
  for (let i = width - 1; i >= 0; i--) {
    target[at + i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}

/** Reads an unsigned big-endian integer of `width` bytes, zeros past the end. */
export function readUint(from: Uint8Array, at: number, width: number): bigint {
  let value = 0n;
  for (let i = 0; i < width; i++) value = (value << 8n) | BigInt(from[at + i] ?? 0);
  return value;
}

/** Encodes a structure; the inverse of {@link decode}. */
export function encode<S extends Struct>(struct: S, value: Decoded<S>): Uint8Array {
  const target = new Uint8Array(struct.size);
  encodeInto(struct, value, { target, at: 0 });
  return target;
}

/** Encodes a structure into bytes that are there already. */
export function encodeInto<S extends Struct>(
  struct: S,
  value: Decoded<S>,
  place: { target: Uint8Array; at: number },
): void {
  let position = place.at;
  for (const field of struct.fields) {
    const part = (value as Record<string, number | bigint | Uint8Array>)[field.name];
    if (part instanceof Uint8Array) place.target.set(part.subarray(0, field.width), position);
    else writeUint(place.target, position, field.width, BigInt(part ?? 0));
    position += field.width;
  }
}

/** A structure with every field zero, for a writer to start from. */
export function blank<S extends Struct>(struct: S): Decoded<S> {
  return decode(struct, new Uint8Array(0));
}
