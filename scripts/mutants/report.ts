import { versionsOf } from "../../fuzz/cli/host.ts";
import { findTools, workingTools } from "../../fuzz/cli/tools.ts";
import { targets } from "../../fuzz/targets/mod.ts";
import { type FuzzRun, type Reported, WORKERS } from "./fuzz_run.ts";
import type { Room } from "./mutant.ts";

/** What came of a mutant. */
export interface Result {
  readonly id: string;
  readonly room: Room;
  /** What the report of a failure must contain. */
  readonly names: string;
  /** One for each seed. */
  readonly runs: readonly FuzzRun[];
}

/** Whether all runs have found a mutant. */
export function isFoundIn({ runs }: Result): boolean {
  return runs.every(({ isFound }) => isFound);
}

/** The results of all mutants, and what they depend on. */
export interface Report {
  readonly date: string;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly seconds: number;
  /** The time was processor time. */
  readonly byProcessor: boolean;
  readonly seeds: readonly number[];
  /** Failures of the project without a bug. */
  readonly baseline: readonly string[];
  readonly results: readonly Result[];
}

/** Adds date, machine and versions. */
export async function reportOf(
  facts: Omit<Report, "date" | "machine" | "versions">,
): Promise<Report> {
  const cores = navigator.hardwareConcurrency;
  const [load = 0] = loadAverage();
  return {
    date: new Date().toISOString().slice(0, 16).replace("T", " "),
    machine: `${Deno.build.os} ${Deno.build.arch}, ${cores} cores, load ${load.toFixed(1)}`,
    versions: versionsOf(workingTools(await findTools([...targets]))),
    ...facts,
  };
}

function loadAverage(): number[] {
  try {
    return Deno.loadavg();
  } catch {
    return [];
  }
}

/** The case that a person would look at first: the smallest one. */
export function smallest({ failures }: FuzzRun): Reported | undefined {
  const [first] = failures
    .filter(({ text }) => text !== "")
    .sort((a, b) => a.bytes - b.bytes || a.edits - b.edits);
  return first;
}

/** The figures of a report, each beside its aim. */
export interface Figure {
  readonly what: string;
  readonly figure: string;
  readonly aim: string;
}

const BYTES_MAX = 8192;
const EDITS_MAX = 2;

/** The figures of a report. */
export function figuresOf({ seconds, byProcessor, results }: Report): Figure[] {
  const runs = results.flatMap((result) => result.runs.map((run) => ({ ...run, result })));
  const found = runs.filter(({ isFound }) => isFound);
  const cases = found.flatMap((run) => {
    const least = smallest(run);
    return least === undefined ? [] : [{ ...least, names: run.result.names }];
  });
  const small = cases.filter(({ bytes, edits }) => bytes <= BYTES_MAX && edits <= EDITS_MAX);
  const named = cases.filter(({ text, names }) => text.includes(names));
  // A bug that is not found counts as found after the run.
  const wall = runs.map((run) => run.isFound ? run.seconds : Infinity);
  const cpu = runs.map((run) => run.isFound ? (run.cpu ?? NaN) / WORKERS : Infinity);
  return [
    { what: `found in ${seconds} s`, figure: share(found.length, runs.length), aim: "≥ 95 %" },
    {
      what: `median time to the first failure${byProcessor ? "" : ", by the clock"}`,
      figure: secondsText(median(byProcessor ? cpu : wall)),
      aim: "< 5 s",
    },
    {
      what: `smallest case ≤ ${BYTES_MAX / 1024} KiB and ≤ ${EDITS_MAX} edits`,
      figure: share(small.length, found.length),
      aim: "≥ 90 %",
    },
    { what: "report names the structure", figure: share(named.length, cases.length), aim: "all" },
  ];
}

function share(part: number, whole: number): string {
  return whole === 0 ? "none" : `${part} of ${whole} (${(100 * part / whole).toFixed(1)} %)`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = NaN, high = NaN] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}

/** Seconds with one decimal. */
export function secondsText(seconds: number): string {
  return Number.isFinite(seconds) ? `${seconds.toFixed(1)} s` : "not found";
}
