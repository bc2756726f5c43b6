import { type CheckCounts, type Json, visible } from "../format/mod.ts";
import type { Finding } from "../rules/mod.ts";

/**
 * `check` in qemu-img's JSON shape: counts of zero are omitted, except for the errors of the check
 * itself.
 */
export function checkReport(
  image: { readonly filename: string; readonly format: string },
  counts: CheckCounts,
  fixed: Pick<CheckCounts, "corruptions" | "leaks"> = { corruptions: 0, leaks: 0 },
): { [key: string]: Json } {
  const known = {
    "image-end-offset": counts.imageEndOffset,
    corruptions: counts.corruptions,
    leaks: counts.leaks,
    "corruptions-fixed": fixed.corruptions,
    "leaks-fixed": fixed.leaks,
    "total-clusters": counts.totalClusters,
    "allocated-clusters": counts.allocatedClusters,
    "fragmented-clusters": counts.fragmentedClusters,
    "compressed-clusters": counts.compressedClusters,
  };
  const counted = Object.entries(known).filter(([, count]) => count !== 0);
  return { ...image, "check-errors": counts.checkErrors, ...Object.fromEntries(counted) };
}

/** The exit status of `qemu-img check`: errors of the check, then corruptions, then leaks. */
export function checkStatus({ checkErrors, corruptions, leaks }: CheckCounts): number {
  return checkErrors > 0 ? 1 : corruptions > 0 ? 2 : leaks > 0 ? 3 : 0;
}

/** `check` for a person: what was found, then the sums in the words of qemu-img. */
export function checkText(counts: CheckCounts, findings: readonly Finding[]): string {
  const found = findings.flatMap(findingLine);
  return [...found, ...sums(counts), ...statistics(counts)].join("\n");
}

/** A finding in a line, where it is one that a check counts. */
function findingLine({ effect, message, rule, path }: Finding): string[] {
  const label = effect === "leak" ? "Leaked cluster:" : effect === "corruption" ? "ERROR:" : "";
  const word = effect === "check-error" ? "ERROR (check):" : label;
  return word === "" ? [] : [visible(`${word} ${message} (${rule} at ${path})`)];
}

function sums({ corruptions, leaks, checkErrors }: CheckCounts): string[] {
  if (corruptions + leaks + checkErrors === 0) return ["No errors were found on the image."];
  return [
    ...(corruptions === 0 ? [] : [
      "",
      `${corruptions} errors were found on the image.`,
      "Data may be corrupted, or further writes to the image may corrupt it.",
    ]),
    ...(leaks === 0 ? [] : [
      "",
      `${leaks} leaked clusters were found on the image.`,
      "This means waste of disk space, but no harm to data.",
    ]),
    ...(checkErrors === 0
      ? []
      : ["", `${checkErrors} internal errors have occurred during the check.`]),
  ];
}

function statistics(counts: CheckCounts): string[] {
  const { totalClusters: total, allocatedClusters: allocated, imageEndOffset } = counts;
  return [
    ...(total === 0 || allocated === 0 ? [] : [
      `${allocated}/${total} = ${percent(allocated, total)} allocated, ` +
      `${percent(counts.fragmentedClusters, allocated)} fragmented, ` +
      `${percent(counts.compressedClusters, allocated)} compressed clusters`,
    ]),
    ...(imageEndOffset === 0 ? [] : [`Image end offset: ${imageEndOffset}`]),
  ];
}

function percent(part: number, whole: number): string {
  const value = part * 100 / whole;
  // In the middle of two, C takes the even one and JavaScript the larger one: 0.125, 0.625.
  const even = value * 8 % 4 === 1 ? Math.floor(value * 100) / 100 : value;
  return `${even.toFixed(2)}%`;
}
