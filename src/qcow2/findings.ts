import type { BlockRule, Broken as AnyBroken } from "../format/mod.ts";
import { offsetOf } from "../layout/mod.ts";
import type { Luks1Rule } from "../luks1/mod.ts";
import type { Findings as AnyFindings, Place } from "../rules/mod.ts";
import type { Qcow2Rule } from "./rules.ts";
import { header } from "./structures.ts";

/** The rules that are found here: those of an embedded LUKS header as well. */
export type FoundRule = Qcow2Rule | Luks1Rule | BlockRule;

/** What findings are added to. */
export type Findings = AnyFindings<FoundRule>;

/** Why an access fails. */
export type Broken = AnyBroken<FoundRule>;

/** Largest offset plus one that QEMU's block layer takes: 2^63 - 2^30. */
export const REQUEST_END_MAX = 0x7fffffffc0000000n;
/** Largest single request in bytes. */
export const REQUEST_MAX = 2 ** 31 - 512;
const INT64_MAX = (1n << 63n) - 1n;

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
  if (!holds) findings.add(broken.rule, broken.place, broken.message);
  return holds;
}

/** Whether a table is aligned and ends below 2^63, as qcow2_validate_table has it. */
export function validTable(offset: bigint, size: bigint, clusterSize: number): boolean {
  return offset % BigInt(clusterSize) === 0n && size <= INT64_MAX && offset <= INT64_MAX - size;
}

/** Whether QEMU's block layer reads `[offset, offset + size)` rather than failing. */
export function requestable(offset: bigint, size: bigint): boolean {
  return offset <= INT64_MAX && offset + size <= REQUEST_END_MAX;
}

/**
 * Length of a name up to its first NUL byte.
 *
 * @param stored the name as far as the file goes; what is missing of it is zeros
 */
export function lengthToNul(stored: Uint8Array): number {
  const nul = stored.indexOf(0);
  return nul < 0 ? stored.length : nul;
}

/** An offset as a person reads it. */
export function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}
