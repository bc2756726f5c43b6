import { type Broken, placesIn } from "../format/mod.ts";
import { offsetOf } from "../layout/mod.ts";
import type { Place } from "../rules/mod.ts";
import type { Luks1Rule } from "./rules.ts";
import { header, keySlot } from "./structures.ts";

/** A rule that is broken at a place. Offsets are relative to the start of the header. */
export type Luks1Broken = Broken<Luks1Rule>;

/** Adds a finding. The message is computed only if it is used. */
export type AddFinding = (rule: Luks1Rule, place: Place, message: () => string) => void;

/** The place of a field of the header. */
export const inHeader: (field: keyof typeof header.offsets) => Place = placesIn(header, "/header");

/** The place of a field of a key slot. */
export function inSlot(slot: number, field: keyof typeof keySlot.offsets): Place {
  const offset = header.size + slot * keySlot.size + offsetOf(keySlot, field);
  return { path: `/key_slots/${slot}/${field}`, offset };
}

/** Records `rule` unless `holds`. Returns `holds`. */
export function must(
  holds: boolean,
  add: AddFinding,
  broken: { rule: Luks1Rule; place: Place; message: () => string },
): boolean {
  if (!holds) add(broken.rule, broken.place, broken.message);
  return holds;
}
