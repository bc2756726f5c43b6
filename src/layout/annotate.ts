import type { Field } from "./field.ts";
import { readField } from "./codec.ts";
import type { Struct } from "./struct.ts";

/** One row of an annotated dump: a field, its offset and its value. */
export interface Row {
  /** Byte offset in the file. */
  readonly offset: number;
  /** The bytes of the field. */
  readonly bytes: Uint8Array;
  /** Path of the field, as `/header/version`. */
  readonly path: string;
  /** The value in readable form. */
  readonly value: string;
  /** What the field means. */
  readonly doc: string;
}

/** The rows of a structure at `place.offset` of the file, with the path `place.path`. */
export function annotate(
  struct: Struct,
  from: Uint8Array,
  place: { offset: number; path: string },
): Row[] {
  let at = 0;
  return struct.fields.map((field) => {
    const stored = from.subarray(at, at + field.width);
    const row = {
      offset: place.offset + at,
      bytes: stored,
      path: `${place.path}/${field.name}`,
      value: valueText(field, stored),
      doc: field.doc,
    };
    at += field.width;
    return row;
  });
}

/** A field's value as text: the number, its name if it has one, and the bits that are set. */
function valueText(field: Field, stored: Uint8Array): string {
  if (field.kind === "bytes") return printable(stored);
  const value = readField(field, stored);
  const name = Object.entries(field.values ?? {}).find(([, known]) => BigInt(known) === value)?.[0];
  const set = (field.bits ?? []).filter((range) => bitsIn(value, range.from, range.to) !== 0n);
  const words = name === undefined ? set.map((range) => range.name) : [name];
  const unit = field.unit === undefined ? "" : ` ${field.unit}`;
  const number = value > 0xffffn ? `${value}${unit} (0x${value.toString(16)})` : `${value}${unit}`;
  return words.length === 0 ? number : `${number} ${words.join(", ")}`;
}

function bitsIn(value: bigint, from: number, to: number): bigint {
  return (value >> BigInt(from)) & ((1n << BigInt(to - from + 1)) - 1n);
}

function printable(stored: Uint8Array): string {
  if (stored.every((byte) => byte === 0)) return `${stored.length} zero bytes`;
  const text = Array.from(
    stored.subarray(0, 48),
    (byte) => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".",
  );
  return JSON.stringify(text.join("") + (stored.length > 48 ? "…" : ""));
}
