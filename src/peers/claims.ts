import type { CheckCounts, InfoReport, Json, MapEntry } from "../format/mod.ts";
import { compareJson, type Difference } from "./compare.ts";
import type { CheckReport, DigestReport } from "./peer.ts";

/**
 * Comparing what an implementation claims with what is right: what it leaves out is not compared, and a
 * coarser answer is right where it claims nothing false.
 */

/** Members of `info` that say where the image is, not what it is. */
const OF_THE_MACHINE = ["actual-size", "filename", "full-backing-filename", "children", "limits"];
/** Members that are absent where they would say nothing. */
const ABSENT_AS_FALSE = [
  "encrypted",
  "snapshots",
  "backing-filename",
  "backing-filename-format",
  "dirty-flag",
];

/** Compares the members of `info` that an implementation reports. */
export function infoClaims(expected: InfoReport, reported: InfoReport): Difference[] {
  const keys = Object.keys(reported).filter((key) => !OF_THE_MACHINE.includes(key));
  const pick = (report: InfoReport): { [key: string]: Json } =>
    Object.fromEntries(
      Object.entries(report).filter(([key]) => keys.includes(key)),
    ) as { [key: string]: Json };
  return compareJson(pick(expected), pick(reported)).filter(({ path, left, right }) => {
    // Within a list, an item that is missing or too many is a difference.
    if (right === undefined) return /\/\d+$/.test(path);
    if (left !== undefined || /\/\d+$/.test(path)) return true;
    return ABSENT_AS_FALSE.includes(path.slice(1)) && !saysNothing(right);
  });
}

function saysNothing(value: Json): boolean {
  return value === null || value === false || value === "" ||
    Array.isArray(value) && value.length === 0;
}

/** Compares the counts of a check that an implementation reports, and those alone. */
export function checkClaims(expected: CheckReport, reported: CheckReport): Difference[] {
  const { counts = {} } = reported;
  const right: Partial<CheckCounts> = expected.counts ?? {};
  const keys = (Object.keys(counts) as (keyof CheckCounts)[])
    .filter((key) => right[key] !== undefined);
  return keys.flatMap((key) =>
    compareJson(right[key], counts[key]).map((it) => ({ ...it, path: `/counts/${key}` }))
  );
}

/** Compares a digest, and its length where an implementation reports it. */
export function digestClaims(expected: DigestReport, reported: DigestReport): Difference[] {
  return compareJson({ ...expected }, { ...reported }).filter(({ right }) => right !== undefined);
}

/** Members of a map entry that are a claim about each byte of it. */
const MEMBERS = ["depth", "present", "zero", "data", "compressed", "offset"] as const;
type Member = typeof MEMBERS[number];

/**
 * Compares a map with what is right, up to the first false claim. The entries must cover the disk in
 * order. `zero` over data is false, and `data` over zeros is not: an entry may be coarser than the
 * clusters of the image.
 *
 * @param holdsZeros whether the data of a range is all zeros, where it can be read: `zero` over such
 * data is true
 */
export function mapClaims(
  expected: readonly MapEntry[],
  reported: readonly MapEntry[],
  holdsZeros: (range: { start: number; length: number }) => boolean = () => false,
): Difference[] {
  const right = expected.filter(({ length }) => length > 0);
  let position = right[0]?.start ?? 0;
  let at = 0;
  for (const [index, entry] of reported.filter(({ length }) => length > 0).entries()) {
    if (entry.start !== position) {
      return [{ path: `/${index}/start`, left: position, right: entry.start }];
    }
    position = entry.start + entry.length;
    for (; at < right.length; at++) {
      const known = right[at] as MapEntry;
      if (known.start >= position) break;
      const wrong = falseClaim(known, entry);
      const isOfZeros = wrong !== undefined && OF_ZEROS.includes(wrong.path);
      if (wrong !== undefined && !(isOfZeros && holdsZeros(commonRange(known, entry)))) {
        return [{ ...wrong, path: `/${index}/${wrong.path}` }];
      }
      if (known.start + known.length > position) break;
    }
  }
  const end = right.at(-1);
  const size = end === undefined ? 0 : end.start + end.length;
  return position === size ? [] : [{ path: "/end", left: size, right: position }];
}

/** Claims that the content can make true. */
const OF_ZEROS: readonly string[] = ["zero", "data"];

function commonRange(a: MapEntry, b: MapEntry): { start: number; length: number } {
  const start = Math.max(a.start, b.start);
  return { start, length: Math.min(a.start + a.length, b.start + b.length) - start };
}

function falseClaim(known: MapEntry, entry: MapEntry): Difference | undefined {
  const told = entry as Partial<Record<Member, Json>>;
  const real = known as Partial<Record<Member, Json>>;
  for (const member of MEMBERS) {
    const right = told[member];
    if (right === undefined || right === null) continue;
    const left = member === "offset" ? offsetAt(known, entry) : real[member];
    // A version of the tool that does not print a member says nothing about it.
    if (left === undefined || left === right) continue;
    if (member === "zero" && right === false) continue;
    if (member === "data" && right === true) continue;
    return { path: member, left, right };
  }
  return undefined;
}

/** The offset that an entry should have for the byte of it where the known entry starts to overlap. */
function offsetAt(known: MapEntry, entry: MapEntry): number | undefined {
  return known.offset === undefined ? undefined : known.offset + (entry.start - known.start);
}
