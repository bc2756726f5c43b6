import { utf8 } from "../bytes/mod.ts";
import type { CheckCounts, Json } from "../format/mod.ts";
import {
  accepted,
  type CheckReport,
  type InfoReport,
  type MapEntry,
  type Outcome,
  rejected,
  unsupported,
} from "./peer.ts";
import type { ToolResult } from "./tool/process.ts";

/** Exit status of `qemu-img check` for a format without a checker. */
export const NO_CHECKER = 63;
/** Levels of an answer in JSON: what compares two answers goes down as deep. */
const DEPTH_MAX = 100;
/** Bytes of a malformed answer that are kept. */
const PRINTED_MAX = 1024;

/** The members of a JSON object. */
export type Members = { readonly [key: string]: Json };

/** An answer without the shape that it must have. */
export class ShapeError extends Error {}

/** Whether a call ended as one that gives an answer. */
export function answered(result: ToolResult): boolean {
  return result.end.kind === "exited" && result.end.code === 0;
}

/** The outcome of a call that gave no answer. */
export function failure({ end, stderr }: ToolResult): Outcome<never> {
  const said = stderr.trim().replace(/^qemu-img: /, "");
  switch (end.kind) {
    case "exited":
      return rejected(said);
    case "crashed":
      return { outcome: "crashed", message: `${end.signal}: ${said}` };
    case "timed-out":
      return { outcome: "timed-out", message: `No answer within ${end.timeoutMs} ms` };
    case "flooded":
      return unsupported(`The answer is longer than ${end.limit} bytes`);
  }
}

/**
 * Reads the JSON that a call printed.
 *
 * @param read throws a {@link ShapeError} for JSON of another shape
 */
export function readJson<T>(result: ToolResult, read: (json: Json) => T): Outcome<T> {
  try {
    return accepted(read(parseJson(result.stdout)));
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    return malformed(result.stdoutBytes ?? result.stdout, error.message);
  }
}

/** The outcome of a call that ended well, and whose answer does not have its shape. */
export function malformed(answer: Uint8Array | string, message: string): Outcome<never> {
  return { outcome: "malformed-answer", message, printed: printed(answer) };
}

/** The start of what a tool printed, for a person. */
function printed(answer: Uint8Array | string): string {
  const bytes = typeof answer === "string" ? utf8(answer) : answer;
  const text = [...bytes.subarray(0, PRINTED_MAX)].map((byte) => {
    if (byte === 0x0a) return "\\n";
    if (byte === 0x5c) return "\\\\";
    if (byte >= 0x20 && byte < 0x7f) return String.fromCharCode(byte);
    return `\\x${byte.toString(16).padStart(2, "0")}`;
  }).join("");
  return bytes.length > PRINTED_MAX ? `${text}… (${bytes.length} bytes)` : text;
}

/** @throws {ShapeError} for anything but JSON of a bounded depth */
export function parseJson(text: string): Json {
  let json: Json;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ShapeError(text.trim() === "" ? "The answer is empty" : "The answer is not JSON");
  }
  if (depthOf(json) > DEPTH_MAX) throw new ShapeError("The answer is nested too deeply");
  return json;
}

/** Levels of arrays and objects; counted no further than is needed to know that there are too many. */
function depthOf(json: Json): number {
  let level: Json[] = [json];
  let depth = 0;
  while (level.length > 0 && depth <= DEPTH_MAX) {
    depth++;
    level = level.flatMap((it) => typeof it === "object" && it !== null ? Object.values(it) : []);
  }
  return depth;
}

/** @throws {ShapeError} for anything but a JSON object */
export function membersOf(json: Json): Members {
  if (isMembers(json)) return json;
  throw new ShapeError("The answer is not a JSON object");
}

/** Whether it is a JSON object. */
export function isMembers(json: Json | undefined): json is Members {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** A report whose exit status follows from its counts. */
export function checkReport(counts: Partial<CheckCounts>): CheckReport {
  const { checkErrors = 0, corruptions = 0, leaks = 0 } = counts;
  return { exitCode: checkErrors > 0 ? 1 : corruptions > 0 ? 2 : leaks > 0 ? 3 : 0, counts };
}

/** Reads what `qemu-img info --output=json` printed. */
export function readInfo(result: ToolResult): Outcome<InfoReport> {
  return answered(result) ? readJson(result, infoIn) : failure(result);
}

/** @throws {ShapeError} when it is not an answer to `info` */
export function infoIn(json: Json): InfoReport {
  const info = membersOf(json);
  if (typeof info["virtual-size"] === "number" && typeof info["format"] === "string") {
    return info as InfoReport;
  }
  throw new ShapeError("The answer to info has no virtual-size or no format");
}

/** Reads what `qemu-img map --output=json` printed. */
export function readMap(result: ToolResult): Outcome<readonly MapEntry[]> {
  return answered(result) ? readJson(result, mapIn) : failure(result);
}

/** @throws {ShapeError} when it is not an answer to `map` */
export function mapIn(json: Json): MapEntry[] {
  const isEntry = (entry: Json) =>
    isMembers(entry) && typeof entry["start"] === "number" && typeof entry["length"] === "number";
  if (Array.isArray(json) && json.every(isEntry)) return json as unknown as MapEntry[];
  throw new ShapeError("The answer to map is not a list of entries with start and length");
}

/**
 * Reads what `qemu-img check --output=json` printed. Exit status 1 is an answer when counts come with
 * it; without them it is a rejection: the image could not be opened, or the checker gave up.
 */
export function readCheck(result: ToolResult): Outcome<CheckReport> {
  if (result.end.kind !== "exited") return failure(result);
  const exitCode = result.end.code;
  if (exitCode === NO_CHECKER) return accepted({ exitCode });
  if (exitCode === 1 && result.stdout === "") return failure(result);
  return readJson(result, (json) => ({ exitCode, counts: allCountsIn(json) }));
}

const COUNTS: { readonly [C in keyof CheckCounts]: string } = {
  corruptions: "corruptions",
  leaks: "leaks",
  checkErrors: "check-errors",
  imageEndOffset: "image-end-offset",
  totalClusters: "total-clusters",
  allocatedClusters: "allocated-clusters",
  fragmentedClusters: "fragmented-clusters",
  compressedClusters: "compressed-clusters",
};

/**
 * The counts of a check that are in an answer.
 *
 * @throws {ShapeError} when it is not an answer to `check`
 */
export function countsIn(json: Json): Partial<CheckCounts> {
  const report = membersOf(json);
  return Object.fromEntries(
    Object.entries(COUNTS).filter(([, key]) => report[key] !== undefined).map(([count, key]) => {
      const value = report[key];
      if (typeof value === "number") return [count, value];
      throw new ShapeError(`The answer to check has a value of ${key} that is not a number`);
    }),
  );
}

/** All counts, as qemu-img prints them: it leaves out those of zero. */
function allCountsIn(json: Json): CheckCounts {
  const zeros = Object.fromEntries(Object.keys(COUNTS).map((count) => [count, 0]));
  return { ...zeros, ...countsIn(json) } as CheckCounts;
}
