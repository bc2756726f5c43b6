import { type FieldName, offsetOf, type Struct } from "../layout/mod.ts";
import type { Place } from "../rules/mod.ts";

/** The places of the fields of a structure at `offset`, with the given path in findings. */
export function placesIn<S extends Struct>(
  struct: S,
  path: string,
  offset = 0,
): (field: FieldName<S>) => Place {
  return (field) => ({ path: `${path}/${field}`, offset: offset + offsetOf(struct, field) });
}
