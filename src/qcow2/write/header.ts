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
  const changes = Object.entries(fields).map(([name, value]) => {
    const field = fieldOf(header, name as keyof HeaderFields);
    return { field, value: BigInt(value), at: offsetOf(header, name as keyof HeaderFields) };
  });
  const start = Math.min(...changes.map(({ at }) => at));
  const end = Math.max(...changes.map(({ at, field }) => at + field.width));
  const bytes = store.read(start, end - start).slice();
  for (const { field, value, at } of changes) {
    writeField(field, value, { target: bytes, at: at - start });
  }
  store.write(start, bytes);
}
