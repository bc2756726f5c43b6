import type { LedgerEntry } from "./causes.ts";
import type { Crew } from "./crew.ts";
import { Failures } from "./failures.ts";
import { Finding } from "./finding.ts";
import type { Corpus } from "./kept/corpus.ts";
import type { Plan, Progress, Reporter, Summary, TargetResult } from "./plan.ts";
import { CASES_MAX } from "./random.ts";
import { Replays } from "./replays.ts";
import { Schedule } from "./schedule.ts";
import { type Counts, NO_COUNTS, sumCounts } from "./tally.ts";
import type { Target, Tools } from "./target.ts";
import { type TargetPlan, TargetRun, WHOLE } from "./target_run.ts";
import type { ToolName } from "../../src/peers/mod.ts";
/** Exit statuses of a run. */
export const STATUS = { ok: 0, failed: 1, unusable: 2, peer: 3 } as const;

/** Ends that are failures. */
const FAILED_ENDS: readonly TargetResult["end"][] = ["broken", "hung"];

/**
 * Runs all targets, in slices on the whole crew. Then it makes those failures smaller for which there
 * was no time.
 */
export async function fuzz(plan: Plan, crew: Crew, reporter: Reporter): Promise<Summary> {
  const started = crew.now();
  const failures = new Failures(plan, crew, reporter);
  reporter.started(plan);
  const results = new Map<string, TargetResult>();
  for (const target of plan.targets) {
    const lack = lackOf(target, crew.options.tools);
    if (lack !== undefined) results.set(target.name, nothingOf(target, `needs ${lack}`));
  }
  // Those that start no programs come first, so that there are many cases at once.
  const able = plan.targets.filter(({ name }) => !results.has(name))
    .toSorted((a, b) => Number(a.needs !== undefined) - Number(b.needs !== undefined));
  const schedule = scheduleOf(able, { plan, crew, reporter, failures, results });
  await schedule.run();
  for (const { name } of plan.targets) {
    const run = schedule.runs.find((it) => it.name === name);
    if (run !== undefined) schedule.endTarget(run);
  }
  await failures.settleAll(schedule.unsettled);
  const ends = plan.targets.flatMap(({ name }) => results.get(name) ?? []);
  const summary = summarize(plan, failures, ends, {
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

function nothingOf(target: Target, end: TargetResult["end"]): TargetResult {
  return { target: target.name, counts: NO_COUNTS, milliseconds: 0, failures: 0, end };
}

interface Running {
  readonly plan: Plan;
  readonly crew: Crew;
  readonly reporter: Reporter;
  readonly failures: Failures;
  readonly results: Map<string, TargetResult>;
}

/** The share of its time by weight that a target spends on a corpus at most. */
const CORPUS_SHARE = 0.5;

function scheduleOf(targets: readonly Target[], running: Running): Schedule {
  const { plan, crew, reporter, failures, results } = running;
  const { seed, shrinkMilliseconds, shard = WHOLE } = plan;
  const weights = targets.reduce((sum, { weight }) => sum + weight, 0);
  const corpusTime = CORPUS_SHARE * plan.milliseconds * crew.options.jobs / weights;
  const runs = targets.map((target) => {
    const { name } = target;
    return new TargetRun(crew, {
      target: name,
      seed,
      runs: Math.min(plan.runs, CASES_MAX - 1, listedIn(target)),
      shard,
      causes: () => failures.causesFor(name),
      guided: plan.guided ?? false,
      ...corpusFor(plan.corpus, name),
      inputsUntil: corpusTime * target.weight,
      met: (origin) => {
        const finding = new Finding(origin, crew.now());
        reporter.found(finding);
        schedule.add(finding);
      },
    });
  });
  const progressOf = (run: TargetRun): Progress => ({
    target: run.name,
    counts: run.counts,
    milliseconds: run.spent / crew.options.jobs,
  });
  const replays = new Replays(plan, crew, { reporter, failures, runs });
  const schedule: Schedule = new Schedule(crew, runs, {
    seed,
    until: crew.now() + plan.milliseconds,
    shrinkMilliseconds,
    weights: targets.map(({ weight }) => weight),
    replay: (job) => replays.next(job),
    causes: (target) => failures.causesFor(target),
    progress: (run) => reporter.progress(progressOf(run), runs.map(progressOf)),
    settled: (finding) => failures.report(finding),
    done: (run, end) => {
      const waiting = schedule.unsettled.filter(({ target }) => target === run.name).length;
      const found = failures.all.filter(({ target }) => target === run.name).length + waiting;
      const result = { ...progressOf(run), ...end, failures: found };
      results.set(run.name, result);
      reporter.targetDone(result);
    },
  });
  return schedule;
}

/** How many cases a target has; `Infinity` if it draws them. */
function listedIn(target: Target): number {
  try {
    return target.listed?.().length ?? Infinity;
  } catch {
    // The worker meets the same error, and reports it.
    return Infinity;
  }
}

function corpusFor(
  corpus: Corpus | undefined,
  target: string,
): Pick<TargetPlan, "inputs" | "kept" | "unusable"> {
  if (corpus === undefined) return {};
  return {
    inputs: corpus.cases(target),
    kept: (text) => corpus.add(target, text),
    unusable: (reason) => corpus.skip(reason),
  };
}

function summarize(
  plan: Plan,
  { all: failures, ledger }: Failures,
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
