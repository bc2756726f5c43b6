import { type ArtifactContent, type Versions, writeArtifact } from "./artifact.ts";
import { shareOf } from "./budget.ts";
import type { Crew } from "./crew.ts";
import type { Found } from "./protocol.ts";
import { CASES_MAX } from "./random.ts";
import { SlotRun, type TargetEnd } from "./slot_run.ts";
import { type Counts, NO_COUNTS, sumCounts } from "./tally.ts";
import type { Target, Tools } from "./target.ts";
import type { ToolName } from "../../src/peers/mod.ts";

/** What to run. */
export interface Plan {
  readonly targets: readonly Target[];
  /** 0 to 2^32 - 1. */
  readonly seed: number;
  /** Time for all targets together, in milliseconds; `Infinity` for no limit. */
  readonly milliseconds: number;
  /** Cases of each target; `Infinity` for no limit. */
  readonly runs: number;
  /** Where artifacts go. */
  readonly artifacts: string;
  readonly versions: Versions;
  /** Slugs of all rules that a case can break. */
  readonly rules: readonly string[];
}

/** A failure and what was kept of it. */
export interface ReportedFailure extends ArtifactContent {
  /** Path of the artifact, where it could be written. */
  readonly artifact?: string;
  /** Why there is none. */
  readonly artifactError?: string;
}

/** How far a target is. */
export interface Progress {
  readonly target: string;
  readonly counts: Counts;
  /** Since the target was started. */
  readonly milliseconds: number;
}

/** What became of a target. */
export interface TargetResult extends Progress {
  readonly end: TargetEnd | `needs ${ToolName}`;
  readonly message?: string;
  /** How many different failures there were. */
  readonly failures: number;
}

/** What became of a run. */
export interface Summary {
  readonly seed: number;
  readonly results: readonly TargetResult[];
  /** All targets together. */
  readonly counts: Counts;
  readonly milliseconds: number;
  readonly failures: readonly ReportedFailure[];
  /** Rules of the catalogue that a case broke, and those that none did. */
  readonly reached: readonly string[];
  readonly missed: readonly string[];
  readonly interrupted: boolean;
  readonly status: number;
}

/** Who is told how a run goes. */
export interface Reporter {
  started(plan: Plan): void;
  progress(progress: Progress): void;
  failed(failure: ReportedFailure): void;
  targetDone(result: TargetResult): void;
  finished(summary: Summary): void;
}

/** Time for shrinking in milliseconds: twice the target's own, within these bounds. */
const SHRINK_MIN = 10_000;
const SHRINK_MAX = 120_000;

/** Workers that may spin on unheard before a run is given up: each keeps a processor busy. */
const HUNG_MAX = 2;

/** Exit statuses of a run. */
export const STATUS = { ok: 0, failed: 1, unusable: 2, peer: 3 } as const;

/** Ends that are failures in themselves; a hang and a lack of memory have one to show for it. */
const FAILED_ENDS: readonly TargetResult["end"][] = ["broken", "hung", "memory"];

/** Runs all targets, one after the other, each on the whole crew. */
export async function fuzz(plan: Plan, crew: Crew, reporter: Reporter): Promise<Summary> {
  const started = performance.now();
  const failures: ReportedFailure[] = [];
  const results: TargetResult[] = [];
  reporter.started(plan);
  const { tools } = crew.options;
  const able = plan.targets.filter((target) => lackOf(target, tools) === undefined);
  let remaining = plan.milliseconds;
  for (const target of plan.targets) {
    const at = able.indexOf(target);
    const lack = lackOf(target, tools);
    if (lack !== undefined) {
      results.push({ ...nothingOf(target), end: `needs ${lack}` });
      continue;
    }
    if (mustStop(crew, results)) {
      results.push({ ...nothingOf(target), end: "stopped" });
      continue;
    }
    const weights = able.slice(at).map(({ weight }) => weight);
    const share = remaining === Infinity ? Infinity : shareOf(remaining, weights);
    const result = await runTarget({ plan, crew, reporter, failures }, target, share);
    // What a failure took on top is not at the expense of the targets that follow.
    remaining -= Math.min(result.milliseconds, share);
    results.push(result);
    reporter.targetDone(result);
  }
  const summary = summarize(plan, results, failures, {
    milliseconds: performance.now() - started,
    interrupted: crew.interrupted,
  });
  reporter.finished(summary);
  return summary;
}

/** The first tool that a target needs and that does not work here. */
function lackOf({ needs = [] }: Target, tools: Tools): ToolName | undefined {
  return needs.find((tool) => tools[tool] === undefined);
}

function nothingOf(target: Target): Omit<TargetResult, "end"> {
  return { target: target.name, counts: NO_COUNTS, milliseconds: 0, failures: 0 };
}

function mustStop(crew: Crew, results: readonly TargetResult[]): boolean {
  return crew.interrupted || crew.hung >= HUNG_MAX ||
    results.some(({ end }) => end === "memory");
}

interface Running {
  readonly plan: Plan;
  readonly crew: Crew;
  readonly reporter: Reporter;
  readonly failures: ReportedFailure[];
}

async function runTarget(running: Running, target: Target, share: number): Promise<TargetResult> {
  const { plan, crew, reporter, failures } = running;
  const started = performance.now();
  const before = failures.length;
  const { name } = target;
  const slot = {
    target: name,
    seed: plan.seed,
    runs: Math.min(plan.runs, CASES_MAX - 1),
    milliseconds: share,
    shrinkMilliseconds: Math.min(SHRINK_MAX, Math.max(SHRINK_MIN, 2 * share)),
  };
  const elapsed = () => performance.now() - started;
  const result = await new SlotRun(crew, slot, {
    progress: (counts) => reporter.progress({ target: name, counts, milliseconds: elapsed() }),
    found: (found) => {
      const failure = keep(plan, { target: name, found, timeout: crew.options.timeout });
      failures.push(failure);
      reporter.failed(failure);
    },
  }).run();
  return {
    target: name,
    ...result,
    milliseconds: elapsed(),
    failures: failures.length - before,
  };
}

function keep(
  plan: Plan,
  facts: { target: string; found: Found; timeout: number },
): ReportedFailure {
  const content = { ...facts, seed: plan.seed, versions: plan.versions };
  try {
    return { ...content, artifact: writeArtifact(plan.artifacts, content) };
  } catch (error) {
    // A failure that cannot be kept is a failure all the same.
    return { ...content, artifactError: error instanceof Error ? error.message : String(error) };
  }
}

function summarize(
  plan: Plan,
  results: readonly TargetResult[],
  failures: readonly ReportedFailure[],
  facts: { milliseconds: number; interrupted: boolean },
): Summary {
  const counts = sumCounts(results.map((result) => result.counts));
  const reached = plan.rules.filter((rule) => counts.rules[rule] !== undefined);
  return {
    seed: plan.seed,
    results,
    counts,
    ...facts,
    failures,
    reached,
    missed: plan.rules.filter((rule) => counts.rules[rule] === undefined),
    status: statusOf(results, failures),
  };
}

function statusOf(results: readonly TargetResult[], failures: readonly unknown[]): number {
  const failed = failures.length > 0 || results.some(({ end }) => FAILED_ENDS.includes(end));
  if (failed) return STATUS.failed;
  const unable = results.some(({ end }) => end === "trouble") ||
    results.every(({ end }) => end.startsWith("needs "));
  return unable ? STATUS.peer : STATUS.ok;
}
