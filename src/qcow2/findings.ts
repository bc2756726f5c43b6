import { type BlockRule, type Broken as AnyBroken, placesIn } from "../format/mod.ts";
import type { Luks1Rule } from "../luks1/mod.ts";
import type { Findings as AnyFindings, Place } from "../rules/mod.ts";
import type { Qcow2Rule } from "./rules.ts";
import { header } from "./structures.ts";

/** The rules of qcow2 and of an embedded LUKS header. */
export type FoundRule = Qcow2Rule | Luks1Rule | BlockRule;

/** The list that findings are added to. */
export type Findings = AnyFindings<FoundRule>;

/** The reason why an access fails. */
export type Broken = AnyBroken<FoundRule>;

/** A header field as a place. */
export const inHeader: (field: keyof typeof header.offsets) => Place = placesIn(header, "/header");

/** Records `rule` unless `holds`. Returns `holds`. */
export function must(
  holds: boolean,
  findings: Findings,
  broken: { rule: FoundRule; place: Place | (() => Place); message: () => string },
): boolean {
  if (!holds) findings.add(broken.rule, broken.place, broken.message);
  return holds;
}

/**
 * Length of a name up to its first NUL byte.
 *
 * @param stored the name up to the end of the file; missing bytes count as zeros
 */
export function lengthToNul(stored: Uint8Array): number {
  const nul = stored.indexOf(0);
  return nul < 0 ? stored.length : nul;
}
