import type { Json } from "../format/mod.ts";
import type { CheckReport, DigestReport, InfoReport, MapEntry, Outcome } from "./peer.ts";
import { comparable } from "./versions.ts";

/** One place where two answers differ. */
export interface Difference {
  /** Keys and indices, each after a slash; empty for the answer as a whole. */
  readonly path: string;
  /** The value on either side; `undefined` where that side has none. */
  readonly left: Json | undefined;
  readonly right: Json | undefined;
}

/** The older of the two versions that answered. */
export interface CompareOptions {
  readonly version: string;
}

/** Compares two answers to `info`. The order of keys has no meaning. */
export function compareInfo(
  left: InfoReport,
  right: InfoReport,
  options: CompareOptions,
): Difference[] {
  const { infoWithout, luksWithout } = comparable(options.version);
  const kept = (report: InfoReport): Json => ({
    ...omit(report, infoWithout),
    ...omitLuks(report, luksWithout),
  });
  return compareJson(kept(left), kept(right));
}

/** The format-specific part of an answer, without these keys of a LUKS header in it. */
function omitLuks(report: InfoReport, keys: readonly string[]): { [key: string]: Json } {
  const specific = report["format-specific"];
  const data = isContainer(specific) ? member(specific, "data") : undefined;
  if (!isContainer(specific) || !isContainer(data)) return {};
  const encrypt = member(data, "encrypt");
  const within = isContainer(encrypt) ? { encrypt: omit(encrypt, keys) as Json } : {};
  return { "format-specific": { ...specific, data: { ...omit(data, keys), ...within } } };
}

/**
 * Compares two maps, up to the first entry that differs. Both are first brought to the shape of the
 * older version: without its missing fields, and with neighbours merged that differ in nothing else.
 */
export function compareMap(
  left: readonly MapEntry[],
  right: readonly MapEntry[],
  options: CompareOptions,
): Difference[] {
  const { mapWithout } = comparable(options.version);
  const ours = mergeMap(left.map((entry) => omit(entry, mapWithout)));
  const theirs = mergeMap(right.map((entry) => omit(entry, mapWithout)));
  const count = Math.max(ours.length, theirs.length);
  for (let i = 0; i < count; i++) {
    const differences = under(i, compareJson(entryJson(ours[i]), entryJson(theirs[i])));
    if (differences.length > 0) return differences;
  }
  return [];
}

/** Compares two answers to `check`: exit status, and counts where both sides have them. */
export function compareCheck(left: CheckReport, right: CheckReport): Difference[] {
  const status = under("exitCode", compareJson(left.exitCode, right.exitCode));
  if (left.counts === undefined || right.counts === undefined) return status;
  return [...status, ...under("counts", compareJson({ ...left.counts }, { ...right.counts }))];
}

/** Compares two digests. */
export function compareDigest(left: DigestReport, right: DigestReport): Difference[] {
  return compareJson({ ...left }, { ...right });
}

/**
 * Compares two outcomes. A peer without an answer (`unsupported`) never differs; two rejections are equal,
 * whatever their messages; a crash or a time-out equals nothing, not even another one.
 */
export function compareOutcomes<T>(
  left: Outcome<T>,
  right: Outcome<T>,
  options: { readonly values: (left: T, right: T) => Difference[] },
): Difference[] {
  if (left.outcome === "unsupported" || right.outcome === "unsupported") return [];
  if (left.outcome === "accepted" && right.outcome === "accepted") {
    return options.values(left.value, right.value);
  }
  if (left.outcome === "rejected" && right.outcome === "rejected") return [];
  return [{ path: "", left: summary(left), right: summary(right) }];
}

/**
 * Merges neighbouring entries that qemu-img would have printed as one (qemu-img.c,
 * `entry_mergeable`), and drops the empty entry of an empty image.
 */
export function mergeMap(entries: readonly MapEntry[]): MapEntry[] {
  const merged: MapEntry[] = [];
  for (const entry of entries) {
    const last = merged.at(-1);
    if (entry.length === 0) continue;
    if (last !== undefined && mergeable(last, entry)) {
      merged[merged.length - 1] = { ...last, length: last.length + entry.length };
    } else {
      merged.push(entry);
    }
  }
  return merged;
}

function mergeable(last: MapEntry, next: MapEntry): boolean {
  return last.start + last.length === next.start && last.depth === next.depth &&
    last.zero === next.zero && last.data === next.data && last.present === next.present &&
    last.compressed === next.compressed &&
    (last.offset === undefined ? next.offset : last.offset + last.length) === next.offset;
}

/** Compares two JSON values; keys in any order. */
export function compareJson(left: Json | undefined, right: Json | undefined): Difference[] {
  if (left === right) return [];
  if (!isContainer(left) || !isContainer(right) || Array.isArray(left) !== Array.isArray(right)) {
    return [{ path: "", left, right }];
  }
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].flatMap((key) => under(key, compareJson(member(left, key), member(right, key))));
}

/** Differences as seen from one level above. */
function under(key: string | number, differences: readonly Difference[]): Difference[] {
  return differences.map((difference) => ({ ...difference, path: `/${key}${difference.path}` }));
}

type Container = readonly Json[] | { readonly [key: string]: Json };

function isContainer(value: Json | undefined): value is Container {
  return typeof value === "object" && value !== null;
}

function member(container: Container, key: string): Json | undefined {
  return Object.hasOwn(container, key) ? (container as { [key: string]: Json })[key] : undefined;
}

function omit<T extends object>(value: T, keys: readonly string[]): T {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key))) as T;
}

function entryJson(entry: MapEntry | undefined): Json | undefined {
  return entry === undefined ? undefined : { ...entry };
}

function summary(outcome: Outcome<unknown>): Json {
  return outcome.outcome === "accepted" ? { outcome: "accepted" } : { ...outcome };
}
