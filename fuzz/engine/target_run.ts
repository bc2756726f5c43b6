import { GRANT_MAX, ShrinkShare } from "./budget.ts";
import type { KnownCause, Ledger } from "./causes.ts";
import type { Crew } from "./crew.ts";
import { nameOf } from "./fault.ts";
import { Finding, type Origin } from "./finding.ts";
import type { Answer, CaseRange, Lost } from "./protocol.ts";
import { type Counts, NO_COUNTS, sumCounts } from "./tally.ts";
import { HarnessError } from "./target.ts";
import type { Worker } from "./worker.ts";

/** Why a target ended. */
export type TargetEnd =
  | "time"
  | "runs"
  /** The run was interrupted. */
  | "stopped"
  /** Too many cases hang or fill the memory. */
  | "hung"
  /** The generator or the setup fails. */
  | "broken"
  /** The harness or a tool does not work. */
  | "trouble";

/** The settings for one target. */
export interface TargetPlan {
  readonly target: string;
  readonly seed: number;
  /** Number of cases. */
  readonly runs: number;
  /** Time for cases and for making failures smaller; `Infinity` where only `runs` counts. */
  readonly milliseconds: number;
  /** Time for making failures smaller if `milliseconds` is `Infinity`. */
  readonly shrinkMilliseconds: number;
  /** The failures by cause, for a target whose failures are grouped so, and the group of the target. */
  readonly grouped?: { readonly ledger: Ledger; readonly group: string };
}

/** Callbacks of a target's run. */
export interface TargetEvents {
  progress(counts: Counts): void;
  /** A failure that will not be made smaller. */
  settled(finding: Finding): Promise<void>;
}

/** The result of a target's run. */
export interface TargetOutcome {
  readonly counts: Counts;
  readonly end: TargetEnd;
  /** Details of the end. */
  readonly message?: string;
  /** Failures that may still be made smaller. */
  readonly unsettled: readonly Finding[];
}

/** How long a worker runs cases before it reports, in milliseconds. */
const STRETCH = 100;
/** Most cases that a worker gets at a time. */
const RANGE_MAX = 4096;
/** Different failures of one target that are reported. The others are only counted. */
const FINDINGS_MAX = 16;
/**
 * A target ends when it has lost this many workers, over more than this share of its cases or of its time.
 */
const LOST_MAX = 10;
const LOST_SHARE = { cases: 0.1, time: 0.5 };

interface Range extends CaseRange {
  /** These cases run one by one, since one of them, it is not known which, ended a worker. */
  readonly careful?: boolean;
}

/** One target on all workers of a crew. */
export class TargetRun {
  readonly #crew: Crew;
  readonly #plan: TargetPlan;
  readonly #events: TargetEvents;
  readonly #started: number;
  readonly #until: number;
  readonly #share: ShrinkShare;
  readonly #known = new Set<string>();
  /** Failures that wait to be made smaller. */
  readonly #findings: Finding[] = [];
  /** Failures that may still be made smaller after their turn. */
  readonly #deferred: Finding[] = [];
  /** Cases that a worker got and did not run. */
  readonly #returned: Range[] = [];
  #next = 0;
  #size = 1;
  #busy = 0;
  #idle: (() => void)[] = [];
  #counts = NO_COUNTS;
  #lost = 0;
  /** Time of the cases that ended a worker, in milliseconds. */
  #lostTime = 0;
  #end: { readonly end: TargetEnd; readonly message?: string } | undefined;

  constructor(crew: Crew, plan: TargetPlan, events: TargetEvents) {
    this.#crew = crew;
    this.#plan = plan;
    this.#events = events;
    this.#started = crew.now();
    this.#until = this.#started + plan.milliseconds;
    const { jobs } = crew.options;
    this.#share = new ShrinkShare(this.#until, { jobs, unlimited: plan.shrinkMilliseconds });
  }

  /** Runs the target to its end. */
  async run(): Promise<TargetOutcome> {
    const { jobs } = this.#crew.options;
    await Promise.all(Array.from({ length: jobs }, (_, job) => this.#lane(job)));
    const end = this.#end ?? this.#natural() ?? { end: "runs" };
    const unsettled = [...this.#findings, ...this.#deferred];
    return { counts: this.#counts, ...end, unsettled };
  }

  /** What one worker does. */
  async #lane(job: number): Promise<void> {
    while (this.#end === undefined && this.#natural() === undefined) {
      const milliseconds = this.#findings.length === 0 ? 0 : this.#share.take(this.#crew.now());
      const finding = milliseconds > 0 ? this.#findings.shift() : undefined;
      if (finding !== undefined) {
        await this.#shrink(finding, job, milliseconds);
        continue;
      }
      const range = this.#take();
      if (range !== undefined) await this.#run(range, job);
      // Other workers may return cases.
      else if (this.#busy > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
      else return;
    }
  }

  #natural(): { readonly end: TargetEnd } | undefined {
    if (this.#crew.interrupted !== undefined) return { end: "stopped" };
    return this.#crew.now() >= this.#until ? { end: "time" } : undefined;
  }

  async #shrink(finding: Finding, job: number, milliseconds: number): Promise<void> {
    const { now } = this.#crew;
    const started = now();
    const met = (origin: Origin) => this.#meet(origin);
    await finding.shrink({ crew: this.#crew, job, milliseconds, met, ...this.#causes });
    this.#share.giveBack(milliseconds - (now() - started));
    if (this.#plan.grouped !== undefined) {
      // Its cause is known now, so that others with the same signature are met again.
      await this.#events.settled(finding);
      this.#known.delete(nameOf(finding.fault));
    } else if (finding.settled || milliseconds >= GRANT_MAX) await this.#events.settled(finding);
    else this.#deferred.push(finding);
  }

  /** The next cases. Returned ones come first. */
  #take(): Range | undefined {
    const returned = this.#returned.shift();
    if (returned?.careful === true && returned.to - returned.from > 1) {
      this.#giveBack({ ...returned, from: returned.from + 1 });
      return { ...returned, to: returned.from + 1 };
    }
    if (returned !== undefined) return returned;
    const { target, seed, runs } = this.#plan;
    if (this.#next >= runs) return undefined;
    const from = this.#next;
    this.#next = Math.min(runs, from + this.#size);
    return { target, seed, from, to: this.#next };
  }

  #giveBack(range: Range): void {
    if (range.from < range.to) this.#returned.push(range);
  }

  async #run(range: Range, job: number): Promise<void> {
    const worker = this.#hire(job);
    if (worker === undefined) return;
    this.#busy++;
    const { careful: _, ...cases } = range;
    const milliseconds = Math.min(STRETCH, this.#until - this.#crew.now());
    const known = [...this.#known];
    const asked = this.#crew.now();
    const answer = await worker.ask({
      ask: "cases",
      range: cases,
      milliseconds,
      known,
      ...this.#causes,
    });
    this.#busy--;
    if (answer.say === "ran") this.#ran(range, answer, worker);
    else if (answer.say === "lost") this.#lose(range, answer, this.#crew.now() - asked);
    else if (answer.say === "refused") {
      this.#end ??= { end: answer.trouble ? "trouble" : "broken", message: answer.message };
    }
    for (const wake of this.#idle.splice(0)) wake();
    this.#events.progress(this.#counts);
  }

  #hire(job: number): Worker | undefined {
    try {
      return this.#crew.worker(job);
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
      this.#end ??= { end: "trouble", message: error.message };
      return undefined;
    }
  }

  #ran(range: Range, answer: Extract<Answer, { say: "ran" }>, worker: Worker): void {
    const { to, counts, met, trouble, resident } = answer;
    this.#counts = sumCounts([this.#counts, counts]);
    this.#giveBack({ ...range, from: to });
    this.#size = Math.max(1, Math.min(RANGE_MAX, 2 * (to - range.from)));
    const { target, seed } = range;
    for (const { index, fault } of met) {
      this.#meet({ ref: { target, seed, index, path: [] }, fault });
    }
    if (trouble !== undefined) this.#end ??= { end: "trouble", message: trouble };
    // No single case is to blame for the memory, so there is a fresh worker.
    if (resident > this.#crew.options.memoryMax) worker.end();
  }

  /** The worker is lost over a case. The others of the range are run again. */
  #lose(range: Range, { beat, fault, unready }: Lost, milliseconds: number): void {
    if (unready === true) {
      this.#end ??= { end: "trouble", message: `Cannot start a worker: ${fault.message}` };
      return;
    }
    if (beat?.phase === "starting") {
      const message = fault.kind === "timeout" ? "The setup of the target hangs" : fault.message;
      this.#end ??= { end: "broken", message };
      return;
    }
    const index = beat?.index ?? (range.to - range.from === 1 ? range.from : undefined);
    if (index === undefined) return this.#giveBack({ ...range, careful: true });
    this.#giveBack({ ...range, to: index });
    this.#giveBack({ ...range, from: index + 1 });
    const failures = { [fault.signature]: 1 };
    this.#counts = sumCounts([this.#counts, { ...NO_COUNTS, cases: 1, failures }]);
    const { target, seed } = range;
    const ref = { target, seed, index, path: [] };
    this.#meet({ ref, fault, ungenerated: beat?.phase === "generating" });
    this.#lost++;
    this.#lostTime += milliseconds;
    if (this.#lost >= LOST_MAX && this.#isLosing()) {
      const message = `${this.#lost} of ${this.#counts.cases} cases ended their worker`;
      this.#end ??= { end: "hung", message };
    }
  }

  #isLosing(): boolean {
    const { now, options } = this.#crew;
    const spent = (now() - this.#started) * options.jobs;
    return this.#lost > LOST_SHARE.cases * this.#counts.cases ||
      this.#lostTime > LOST_SHARE.time * spent;
  }

  #meet(origin: Origin): void {
    const name = nameOf(origin.fault);
    if (this.#known.has(name) || this.#known.size >= FINDINGS_MAX) return;
    this.#known.add(name);
    this.#findings.push(new Finding(origin, this.#crew.now()));
  }

  get #causes(): { readonly causes?: readonly KnownCause[] } {
    const { grouped } = this.#plan;
    return grouped === undefined ? {} : { causes: grouped.ledger.causesOf(grouped.group) };
  }
}
