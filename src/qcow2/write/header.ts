import type { ByteStore } from "../../bytes/mod.ts";
import { type Decoded, fieldOf, offsetOf, writeField } from "../../layout/mod.ts";
import { header } from "../structures.ts";

/** Fields of the header with new values. */
export type HeaderFields = Partial<Omit<Decoded<typeof header>, "padding">>;

/**
 * Changes fields of the header in one write. All other bytes stay, also those of fields and extensions
 * that are not known.
 */
export function writeHeaderFields(store: ByteStore, fields: HeaderFields): void {
  const bytes = store.read(0, header.size).slice();
  const { start, end } = setFields(bytes, fields);
  store.write(start, bytes.subarray(start, end));
}

/** Changes fields in the bytes of a header; fields that it is too short for stay absent. */
export function setFields(
  target: Uint8Array,
  fields: HeaderFields,
): { readonly start: number; readonly end: number } {
  let [start, end] = [target.length, 0];
  for (const [key, value] of Object.entries(fields)) {
    const field = fieldOf(header, key as keyof HeaderFields);
    const at = offsetOf(header, key as keyof HeaderFields);
    if (at + field.width > target.length) continue;
    writeField(field, BigInt(value), { target, at });
    start = Math.min(start, at);
    end = Math.max(end, at + field.width);
  }
  return { start, end };
}
