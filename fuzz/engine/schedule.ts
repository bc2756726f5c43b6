import { Bandit } from "./bandit.ts";
import { isDeadly } from "./bench.ts";
import { GRANT_MAX, ShrinkShare } from "./budget.ts";
import type { KnownCause } from "./causes.ts";
import type { Crew } from "./crew.ts";
import { nameOf } from "./fault.ts";
import type { Finding } from "./finding.ts";
import type { Ended, TargetRun } from "./target_run.ts";

/** How long a worker runs cases of one target before it turns to another, in milliseconds. */
const SLICE = 100;
/** How long a worker makes a failure smaller before it turns to cases again; twice as long each time. */
const SHRINK_SLICE = 1000;

/** The settings of a schedule. */
export interface SchedulePlan {
  readonly seed: number;
  /** When it ends, on the clock of the crew; `Infinity` for no limit. */
  readonly until: number;
  /** Time for making failures smaller if there is no limit, in milliseconds. */
  readonly shrinkMilliseconds: number;
  /** The weights of the targets. */
  readonly weights: readonly number[];
  /** Runs a case of an earlier run on the worker of a job, if one is left. */
  replay(job: number): Promise<void> | undefined;
  /** The causes of known failures of a target. */
  causes(target: string): readonly KnownCause[] | undefined;
  progress(run: TargetRun): void;
  /** A failure that will not be made smaller before the end. */
  settled(finding: Finding): Promise<void>;
  /** A target has ended. */
  done(run: TargetRun, ended: Ended): void;
}

/** A failure that waits to be made smaller. */
interface Waiting {
  readonly finding: Finding;
  readonly run: TargetRun;
  /** The time that it was granted, what it has spent of it, and its next slice, in milliseconds. */
  granted: number;
  spent: number;
  slice: number;
  /** A worker makes it smaller at the moment. */
  busy: boolean;
}

/**
 * All targets of a run on all workers of a crew: each worker turns from target to target, and from them
 * to the failures that were found, which get as much time as the cases at most.
 */
export class Schedule {
  readonly #crew: Crew;
  readonly #plan: SchedulePlan;
  readonly runs: readonly TargetRun[];
  readonly #bandit: Bandit;
  readonly #share: ShrinkShare;
  readonly #waiting: Waiting[] = [];
  /** Failures that may be made smaller at the end. */
  readonly #deferred: Finding[] = [];
  readonly #done = new Set<TargetRun>();
  #busy = 0;
  #idle: (() => void)[] = [];

  /** A schedule for targets, in the order in which they start. */
  constructor(crew: Crew, runs: readonly TargetRun[], plan: SchedulePlan) {
    this.#crew = crew;
    this.runs = runs;
    this.#plan = plan;
    this.#bandit = new Bandit(plan.weights, plan.seed);
    const { jobs } = crew.options;
    this.#share = new ShrinkShare(plan.until, { jobs, unlimited: plan.shrinkMilliseconds });
  }

  /** A failure was found. */
  add(finding: Finding): void {
    const run = this.runs.find(({ name }) => name === finding.target);
    if (run === undefined) return;
    this.#waiting.push({ finding, run, granted: 0, spent: 0, slice: SHRINK_SLICE, busy: false });
  }

  /** Failures that were not made as small as possible. */
  get unsettled(): readonly Finding[] {
    return [...this.#waiting.map(({ finding }) => finding), ...this.#deferred];
  }

  /** Whether the time is over or the run interrupted. */
  get isOver(): boolean {
    return this.#crew.interrupted !== undefined || this.#crew.now() >= this.#plan.until;
  }

  /** Runs until there is no time or no case left. */
  async run(): Promise<void> {
    const { jobs } = this.#crew.options;
    await Promise.all(Array.from({ length: jobs }, (_, job) => this.#lane(job)));
  }

  /** What one worker does. */
  async #lane(job: number): Promise<void> {
    // Time that cases get before the next failure does.
    let owed = 0;
    while (!this.isOver) {
      const replay = this.#plan.replay(job);
      if (replay !== undefined) {
        await this.#busyWith(replay);
        continue;
      }
      const open = this.runs.flatMap((run, index) => run.isOpen ? [index] : []);
      const waiting = owed > 0 && open.length > 0 ? undefined : this.#nextWaiting();
      if (waiting === undefined && open.length === 0) {
        if (this.#busy === 0) return;
        // Other workers may return cases and find failures.
        await new Promise<void>((resolve) => this.#idle.push(resolve));
        continue;
      }
      if (waiting !== undefined) owed = await this.#busyWith(this.#shrink(waiting, job));
      else owed -= await this.#busyWith(this.#slice(this.#bandit.choose(open), job));
    }
  }

  async #busyWith<Result>(work: Promise<Result>): Promise<Result> {
    this.#busy++;
    const result = await work;
    this.#busy--;
    this.#endTargets();
    for (const wake of this.#idle.splice(0)) wake();
    return result;
  }

  async #slice(index: number, job: number): Promise<number> {
    const run = this.runs[index] as TargetRun;
    const milliseconds = Math.min(SLICE, this.#plan.until - this.#crew.now());
    const slice = await run.run(job, milliseconds);
    this.#bandit.add(index, slice);
    this.#plan.progress(run);
    return slice.milliseconds;
  }

  /** The next failure that has time. */
  #nextWaiting(): Waiting | undefined {
    const next = this.#waiting.find((it) => !it.busy && this.#timeOf(it) > 0);
    if (next !== undefined) next.busy = true;
    return next;
  }

  #timeOf(waiting: Waiting): number {
    waiting.granted ||= this.#share.take(this.#crew.now());
    return waiting.granted - waiting.spent;
  }

  async #shrink(waiting: Waiting, job: number): Promise<number> {
    const { finding, run, slice } = waiting;
    const { now } = this.#crew;
    const started = now();
    // A case that ends its worker needs the whole time: it runs in full before and after.
    const deadly = isDeadly(finding.fault);
    const milliseconds = deadly ? this.#timeOf(waiting) : Math.min(this.#timeOf(waiting), slice);
    const causes = this.#plan.causes(finding.target);
    await finding.shrink({
      crew: this.#crew,
      job,
      milliseconds,
      met: (origin) => run.meet(origin),
      ...(causes === undefined ? {} : { causes }),
    });
    const taken = now() - started;
    run.spend(taken);
    waiting.spent += Math.max(taken, 1);
    waiting.slice *= 2;
    waiting.busy = false;
    this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
    const left = this.#timeOf(waiting);
    if (!finding.settled && !deadly && left > 0) this.#waiting.push(waiting);
    else {
      this.#share.giveBack(left);
      await this.#finish(waiting);
    }
    return taken;
  }

  async #finish({ finding, run, granted }: Waiting): Promise<void> {
    const isGrouped = this.#plan.causes(finding.target) !== undefined;
    if (!isGrouped && !finding.settled && granted < GRANT_MAX) {
      this.#deferred.push(finding);
      return;
    }
    await this.#plan.settled(finding);
    // Its cause is known now, so that others with the same signature are met again.
    if (isGrouped) run.forget(nameOf(finding.fault));
  }

  #endTargets(): void {
    for (const run of this.runs) {
      const isWaiting = this.#waiting.some((it) => it.run === run);
      if (run.end !== undefined && !isWaiting) this.endTarget(run);
    }
  }

  /** Reports the end of a target, once. */
  endTarget(run: TargetRun): void {
    if (this.#done.has(run)) return;
    this.#done.add(run);
    const natural = this.#crew.interrupted === undefined ? "time" : "stopped";
    this.#plan.done(run, run.end ?? { end: natural });
  }
}
