import type { CheckCounts, Json } from "../../format/mod.ts";
import {
  type CheckReport,
  type InfoReport,
  type MapEntry,
  type Outcome,
  PeerError,
} from "../peer.ts";
import type { ToolResult } from "../process.ts";

/** Exit status of `qemu-img check` for a format without a checker. */
const NO_CHECKER = 63;

/** Reads what `qemu-img info --output=json` printed. */
export function readInfo(result: ToolResult): Outcome<InfoReport> {
  return answered(result) ? parsed(result, parseInfo) : failure(result);
}

/** Reads what `qemu-img map --output=json` printed. */
export function readMap(result: ToolResult): Outcome<readonly MapEntry[]> {
  return answered(result)
    ? parsed(result, (text) => JSON.parse(text) as MapEntry[])
    : failure(result);
}

/**
 * Reads what `qemu-img check --output=json` printed. Exit status 1 is an answer when counts come with
 * it; without them it is a rejection: the image could not be opened, or the checker gave up.
 */
export function readCheck(result: ToolResult): Outcome<CheckReport> {
  if (result.end.kind !== "exited") return failure(result);
  const exitCode = result.end.code;
  if (exitCode === NO_CHECKER) return { outcome: "accepted", value: { exitCode } };
  if (exitCode === 1 && result.stdout === "") return failure(result);
  return parsed(result, (text) => ({ exitCode, counts: parseCounts(text) }));
}

/** Whether a call ended as one that gives an answer. */
export function answered(result: ToolResult): boolean {
  return result.end.kind === "exited" && result.end.code === 0;
}

function parsed<T>(result: ToolResult, read: (stdout: string) => T): Outcome<T> {
  try {
    return { outcome: "accepted", value: read(result.stdout) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new PeerError(`Cannot understand qemu-img: ${error.message}`);
  }
}

/** Says how a call went that gave no answer. */
export function failure(result: ToolResult): Outcome<never> {
  const said = result.stderr.trim().replace(/^qemu-img: /, "");
  switch (result.end.kind) {
    case "exited":
      return { outcome: "rejected", message: said };
    case "crashed":
      return { outcome: "crashed", message: `${result.end.signal}: ${said}` };
    case "timed-out":
      return { outcome: "timed-out", message: `No answer within ${result.end.timeoutMs} ms` };
    case "flooded":
      return {
        outcome: "unsupported",
        message: `The answer is longer than ${result.end.limit} bytes`,
      };
  }
}

function parseInfo(text: string): InfoReport {
  const report = JSON.parse(text) as InfoReport;
  if (typeof report["virtual-size"] !== "number" || typeof report.format !== "string") {
    throw new SyntaxError("info without a virtual size or a format");
  }
  return report;
}

/** qemu-img leaves counts of zero out. */
function parseCounts(text: string): CheckCounts {
  const report = JSON.parse(text) as { readonly [key: string]: Json };
  const count = (key: string): number => {
    const value = report[key] ?? 0;
    if (typeof value !== "number") throw new SyntaxError(`check with ${key} that is no number`);
    return value;
  };
  return {
    corruptions: count("corruptions"),
    leaks: count("leaks"),
    checkErrors: count("check-errors"),
    imageEndOffset: count("image-end-offset"),
    totalClusters: count("total-clusters"),
    allocatedClusters: count("allocated-clusters"),
    fragmentedClusters: count("fragmented-clusters"),
    compressedClusters: count("compressed-clusters"),
  };
}
