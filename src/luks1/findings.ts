import { type Broken, placesIn } from "../format/mod.ts";
import { offsetOf } from "../layout/mod.ts";
import type { Place } from "../rules/mod.ts";
import type { Luks1Rule } from "./rules.ts";
import { header, keySlot } from "./structures.ts";

/** A rule that is broken at a place; offsets count from the start of the header. */
export type Luks1Broken = Broken<Luks1Rule>;

/** Takes a finding. The message is made only where it is wanted. */
export type AddFinding = (rule: Luks1Rule, place: Place, message: () => string) => void;

/** A field of the header as a place. */
export const inHeader: (field: keyof typeof header.offsets) => Place = placesIn(header, "/header");

/** A field of a key slot as a place. */
export function inSlot(slot: number, field: keyof typeof keySlot.offsets): Place {
  const offset = header.size + slot * keySlot.size + offsetOf(keySlot, field);
  return { path: `/key_slots/${slot}/${field}`, offset };
}

/** Records `rule` unless `holds`. Gives back whether it holds. */
export function must(
  holds: boolean,
  add: AddFinding,
  broken: { rule: Luks1Rule; place: Place; message: () => string },
): boolean {
  if (!holds) add(broken.rule, broken.place, broken.message);
  return holds;
}
