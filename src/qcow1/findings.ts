import { type BlockRule, type Broken as AnyBroken, placesIn, requestable } from "../format/mod.ts";
import type { Findings as AnyFindings, Place } from "../rules/mod.ts";
import { type Entry, offsetOf as offsetIn, valueOf } from "./entry.ts";
import type { Qcow1Rule } from "./rules.ts";
import { header } from "./structures.ts";

/** The rules of qcow version 1. */
export type FoundRule = Qcow1Rule | BlockRule;

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
  broken: { rule: FoundRule; place: Place; message: () => string },
): boolean {
  if (!holds) findings.add(broken.rule, broken.place, broken.message());
  return holds;
}

/**
 * Whether QEMU's block layer can read `length` bytes at an offset in a table. Offsets inside a file are
 * below 2^53.
 */
export function reachable(entry: Entry, length: number): boolean {
  const near = offsetIn(entry) + length < Number.MAX_SAFE_INTEGER;
  return near || requestable(valueOf(entry), length);
}
