import type { BlockRule, Broken as AnyBroken } from "../format/mod.ts";
import { offsetOf } from "../layout/mod.ts";
import type { Findings as AnyFindings, Place } from "../rules/mod.ts";
import { type Entry, offsetOf as offsetIn, valueOf } from "./entry.ts";
import type { Qcow1Rule } from "./rules.ts";
import { header } from "./structures.ts";

/** The rules that are found here. */
type FoundRule = Qcow1Rule | BlockRule;

/** What findings are added to. */
export type Findings = AnyFindings<FoundRule>;

/** Why an access fails. */
export type Broken = AnyBroken<FoundRule>;

/** What QEMU's block layer reads ends at or below this: 2^63 - 2^30. */
export const REQUEST_END_MAX = 0x7fffffffc0000000n;
/** Largest single request in bytes. */
export const REQUEST_MAX = 2 ** 31 - 512;

/** A header field as a place. */
export function inHeader(field: keyof typeof header.offsets): Place {
  return { path: `/header/${field}`, offset: offsetOf(header, field) };
}

/** Records `rule` unless `holds`. Gives back whether it holds. */
export function must(
  holds: boolean,
  findings: Findings,
  broken: { rule: FoundRule; place: Place; message: () => string },
): boolean {
  if (!holds) findings.add(broken.rule, broken.place, broken.message());
  return holds;
}

/** Whether QEMU's block layer reads `length` bytes at an offset rather than failing. */
export function requestable(offset: bigint, length: number): boolean {
  return offset + BigInt(length) <= REQUEST_END_MAX;
}

/** The same for an offset in a table, which is below 2^53 wherever a file reaches. */
export function reachable(entry: Entry, length: number): boolean {
  const near = offsetIn(entry) + length < Number.MAX_SAFE_INTEGER;
  return near || requestable(valueOf(entry), length);
}

/** An offset as a person reads it. */
export function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}
