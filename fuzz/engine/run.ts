import { type ArtifactContent, type Versions, writeArtifact } from "./artifact.ts";
import { shareOf } from "./budget.ts";
import { type KnownCause, Ledger, type LedgerEntry } from "./causes.ts";
import type { Crew } from "./crew.ts";
import { nameOf } from "./fault.ts";
import { Finding, type Origin } from "./finding.ts";
import type { Found } from "./protocol.ts";
import { CASES_MAX } from "./random.ts";
import { type Counts, NO_COUNTS, sumCounts } from "./tally.ts";
import type { Target, Tools } from "./target.ts";
import { type TargetEnd, TargetRun } from "./target_run.ts";
import type { ToolName } from "../../src/peers/mod.ts";

/** The settings of a run. */
export interface Plan {
  readonly targets: readonly Target[];
  /** 0 to 2^32 - 1. */
  readonly seed: number;
  /** Time for all targets together, in milliseconds; `Infinity` for no limit. */
  readonly milliseconds: number;
  /** Time after the targets for making failures smaller. */
  readonly shrinkMilliseconds: number;
  /** Cases of each target; `Infinity` for no limit. */
  readonly runs: number;
  /** The folder for artifacts. */
  readonly artifacts: string;
  readonly versions: Versions;
  /** Slugs of all rules that a case can break. */
  readonly rules: readonly string[];
  /** Failures by cause, with those that are known before the run; empty by default. */
  readonly ledger?: Ledger;
  /** A failure that is known and is not met fails the run. */
  readonly strictKnown?: boolean;
}

/** A failure and its artifact. */
export interface ReportedFailure extends ArtifactContent {
  /** Path of the artifact, if it could be written. */
  readonly artifact?: string;
  /** Why it could not be written. */
  readonly artifactError?: string;
  /** The failure among those that are grouped by cause. */
  readonly entry?: LedgerEntry;
  /** When it was found: milliseconds after the start. */
  readonly seen?: number;
}

/** The progress of a target. */
export interface Progress {
  readonly target: string;
  readonly counts: Counts;
  /** Since the target started. */
  readonly milliseconds: number;
}

/** The result of a target. */
export interface TargetResult extends Progress {
  readonly end: TargetEnd | `needs ${ToolName}`;
  readonly message?: string;
  /** Number of different failures. */
  readonly failures: number;
}

/** A failure, and the number of cases that showed it. */
export interface CountedEntry {
  readonly entry: LedgerEntry;
  readonly count: number;
}

/** The result of a run. */
export interface Summary {
  readonly seed: number;
  readonly results: readonly TargetResult[];
  /** All targets together. */
  readonly counts: Counts;
  readonly milliseconds: number;
  readonly failures: readonly ReportedFailure[];
  /** Failures that are grouped by cause, also known ones, and the number of cases that showed each. */
  readonly findings: readonly CountedEntry[];
  /** Rules of the catalogue that a case broke, and the others. */
  readonly reached: readonly string[];
  readonly missed: readonly string[];
  /** The exit status of the interrupt; absent if there was none. */
  readonly interrupted?: number;
  readonly status: number;
}

/** Reports the progress of a run. */
export interface Reporter {
  started(plan: Plan): void;
  progress(progress: Progress): void;
  failed(failure: ReportedFailure): void;
  targetDone(result: TargetResult): void;
  finished(summary: Summary): void;
}

/** Exit statuses of a run. */
export const STATUS = { ok: 0, failed: 1, unusable: 2, peer: 3 } as const;

/** Ends that are failures. */
const FAILED_ENDS: readonly TargetResult["end"][] = ["broken", "hung"];

/**
 * Runs all targets, one after the other, each on the whole crew. Then it makes those failures smaller
 * for which there was no time.
 */
export async function fuzz(plan: Plan, crew: Crew, reporter: Reporter): Promise<Summary> {
  const started = crew.now();
  const ledger = plan.ledger ?? new Ledger();
  const running: Running = { plan, crew, reporter, started, ledger, failures: [], unsettled: [] };
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
    const weights = able.slice(at).map(({ weight }) => weight);
    const share = remaining === Infinity ? Infinity : shareOf(remaining, weights);
    const result = crew.interrupted === undefined
      ? await runTarget(running, target, share)
      : { ...nothingOf(target), end: "stopped" as const };
    remaining -= Math.min(result.milliseconds, remaining);
    results.push(result);
    reporter.targetDone(result);
  }
  await settleAll(running);
  const summary = summarize(running, results, {
    milliseconds: crew.now() - started,
    ...(crew.interrupted === undefined ? {} : { interrupted: crew.interrupted }),
  });
  reporter.finished(summary);
  return summary;
}

/** The first tool that a target needs and that is not installed. */
function lackOf({ needs = [] }: Target, tools: Tools): ToolName | undefined {
  return needs.find((tool) => tools[tool] === undefined);
}

function nothingOf(target: Target): Omit<TargetResult, "end"> {
  return { target: target.name, counts: NO_COUNTS, milliseconds: 0, failures: 0 };
}

interface Running {
  readonly plan: Plan;
  readonly crew: Crew;
  readonly reporter: Reporter;
  readonly started: number;
  readonly ledger: Ledger;
  readonly failures: ReportedFailure[];
  /** Failures that may still be made smaller. */
  readonly unsettled: Finding[];
}

async function runTarget(running: Running, target: Target, share: number): Promise<TargetResult> {
  const { plan, crew, reporter, failures, unsettled } = running;
  const started = crew.now();
  const elapsed = () => crew.now() - started;
  const before = failures.length;
  const { name } = target;
  const { seed, shrinkMilliseconds } = plan;
  const runs = Math.min(plan.runs, CASES_MAX - 1);
  const { ledger } = running;
  const { group } = target.causes ?? {};
  const grouped = group === undefined ? {} : { grouped: { ledger, group } };
  const own = { target: name, seed, runs, milliseconds: share, shrinkMilliseconds, ...grouped };
  const outcome = await new TargetRun(crew, own, {
    progress: (counts) => reporter.progress({ target: name, counts, milliseconds: elapsed() }),
    settled: (finding) => report(running, finding),
  }).run();
  unsettled.push(...outcome.unsettled);
  const { counts, end, message } = outcome;
  return {
    target: name,
    counts,
    end,
    ...(message === undefined ? {} : { message }),
    milliseconds: elapsed(),
    failures: failures.length - before + outcome.unsettled.length,
  };
}

/** Makes the remaining failures smaller within `shrinkMilliseconds`. */
async function settleAll(running: Running): Promise<void> {
  const { plan, crew, unsettled } = running;
  const { jobs } = crew.options;
  const until = crew.now() + plan.shrinkMilliseconds;
  const names = new Set(unsettled.map(({ target, fault }) => `${target} ${nameOf(fault)}`));
  for (const { target, found } of running.failures) names.add(`${target} ${nameOf(found.fault)}`);
  const met = (origin: Origin) => {
    const name = `${origin.ref.target} ${nameOf(origin.fault)}`;
    if (!names.has(name)) unsettled.push(new Finding(origin));
    names.add(name);
  };
  await Promise.all(Array.from({ length: jobs }, async (_, job) => {
    for (let finding = unsettled.shift(); finding !== undefined; finding = unsettled.shift()) {
      const left = crew.interrupted === undefined ? Math.max(0, until - crew.now()) : 0;
      // The remaining failures share the remaining time; `jobs` of them use it at once.
      const milliseconds = left * Math.min(1, jobs / (unsettled.length + 1));
      const causes = causesFor(running, finding);
      if (!finding.settled) await finding.shrink({ crew, job, milliseconds, met, ...causes });
      await report(running, finding);
    }
  }));
}

function causesIn({ plan }: Running, target: string): Target["causes"] {
  return plan.targets.find(({ name }) => name === target)?.causes;
}

function causesFor(
  running: Running,
  { target }: Finding,
): { readonly causes?: readonly KnownCause[] } {
  const { group } = causesIn(running, target) ?? {};
  return group === undefined ? {} : { causes: running.ledger.causesOf(group) };
}

/** Stores and reports a failure, unless it is one that is known by its cause. */
async function report(running: Running, finding: Finding): Promise<void> {
  const { plan, crew, reporter, failures, ledger, started } = running;
  const { timeout } = crew.options;
  const found = await finding.found(crew);
  const { group, isUsual = () => false } = causesIn(running, finding.target) ?? {};
  const smallest = found.dossier?.traits ?? [];
  const settled = group === undefined ? undefined : ledger.settle({
    group,
    signature: found.fault.signature,
    cause: found.cause ?? [],
    smallest,
    special: smallest.filter((trait) => !isUsual(trait)),
    complete: found.shrink?.complete === true,
  });
  if (settled?.isNew === false && (settled.entry.known || !settled.isRefined)) return;
  const kept = keep(plan, { target: finding.target, found, timeout });
  const failure = settled === undefined
    ? kept
    : { ...kept, entry: settled.entry, seen: finding.seen - started };
  for (const { id } of settled?.absorbed ?? []) {
    const gone = failures.findIndex(({ entry }) => entry?.id === id);
    if (gone >= 0) failures.splice(gone, 1);
  }
  const at = failures.findIndex(({ entry }) => entry !== undefined && entry === settled?.entry);
  if (at >= 0) {
    // The first one was not as small, which its artifact is still there to show.
    failures[at] = { ...failure, seen: failures[at]?.seen ?? 0 };
    return;
  }
  failures.push(failure);
  reporter.failed(failure);
}

function keep(
  plan: Plan,
  facts: { target: string; found: Found; timeout: number },
): ReportedFailure {
  const content = { ...facts, seed: plan.seed, versions: plan.versions };
  try {
    return { ...content, artifact: writeArtifact(plan.artifacts, content) };
  } catch (error) {
    // A failure that cannot be stored is still a failure.
    return { ...content, artifactError: error instanceof Error ? error.message : String(error) };
  }
}

function summarize(
  { plan, failures, ledger }: Running,
  results: readonly TargetResult[],
  facts: { milliseconds: number; interrupted?: number },
): Summary {
  const counts = sumCounts(results.map((result) => result.counts));
  const findings = ledger.entries
    .map((entry) => ({ entry, count: countOf(entry, counts) }));
  const missed = findings.some(({ entry, count }) => entry.known && count === 0);
  const reached = plan.rules.filter((rule) => counts.rules[rule] !== undefined);
  return {
    seed: plan.seed,
    results,
    counts,
    ...facts,
    failures,
    findings,
    reached,
    missed: plan.rules.filter((rule) => counts.rules[rule] === undefined),
    status: plan.strictKnown === true && missed
      ? STATUS.failed
      : statusOf(results, failures, facts.interrupted),
  };
}

function countOf({ id, others, met }: LedgerEntry, { failures }: Counts): number {
  return [id, ...others].reduce((sum, it) => sum + (failures[it] ?? 0), met);
}

function statusOf(
  results: readonly TargetResult[],
  failures: readonly unknown[],
  interrupted: number | undefined,
): number {
  const failed = failures.length > 0 || results.some(({ end }) => FAILED_ENDS.includes(end));
  if (failed) return STATUS.failed;
  const unable = results.some(({ end }) => end === "trouble") ||
    results.every(({ end }) => end.startsWith("needs "));
  return unable ? STATUS.peer : interrupted ?? STATUS.ok;
}
