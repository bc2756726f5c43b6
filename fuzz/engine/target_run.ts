import type { Json } from "../../src/format/mod.ts";
import type { KnownCause } from "./causes.ts";
import type { Crew } from "./crew.ts";
import { nameOf } from "./fault.ts";
import type { Origin } from "./finding.ts";
import type { Beat } from "./heartbeat.ts";
import { Pool } from "./kept/pool.ts";
import type { Answer, CaseRange, CaseRef, Lost } from "./protocol.ts";
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

/** The end of a target, with details. */
export interface Ended {
  readonly end: TargetEnd;
  readonly message?: string;
}

/** The settings for one target. */
export interface TargetPlan {
  readonly target: string;
  readonly seed: number;
  /** Cases have indices below this. */
  readonly runs: number;
  /** The cases of this run: the first index, and the distance of the others. */
  readonly shard: Shard;
  /** The causes of failures that are known at the moment, if those of the target are grouped so. */
  causes(): readonly KnownCause[] | undefined;
  /** Called for each new failure. */
  met(origin: Origin): void;
  /** A share of the cases are mutations of kept ones, which depend on the cases before them. */
  readonly guided?: boolean;
  /** Stored cases, which run first. */
  readonly inputs?: Iterable<Json>;
  /** Once the target has had this time, in milliseconds of all workers, no more of them are read. */
  readonly inputsUntil?: number;
  /** Called for each case that shows something new, with its JSON. */
  kept?(text: string): void;
  /** Called for each stored case that cannot be used. */
  unusable?(reason: string): void;
}

/** Every `of`th case of a target, from the one with index `first`. */
export interface Shard {
  readonly first: number;
  readonly of: number;
}

/** All cases. */
export const WHOLE: Shard = { first: 0, of: 1 };

/** What a slice of a target has brought. */
export interface Slice {
  readonly milliseconds: number;
  /** How much of what its cases have shown was new. */
  readonly novel: number;
}

/** Most cases that a worker gets at a time. */
const RANGE_MAX = 4096;
/** Stored cases that a worker gets at a time. */
const STORED_MAX = 32;
/** Different failures of one target that are reported, besides stored ones. The others are only counted. */
const FINDINGS_MAX = 16;
/**
 * A target ends when it has lost this many workers, over more than this share of its cases or of its time.
 */
const LOST_MAX = 10;
const LOST_SHARE = { cases: 0.1, time: 0.5 };

interface Range extends CaseRange {
  readonly stride: number;
  /** These cases run one by one, since one of them, it is not known which, ended a worker. */
  readonly careful?: boolean;
}

/** The cases of one target, which any worker runs in slices. */
export class TargetRun {
  readonly #crew: Crew;
  readonly #plan: TargetPlan;
  readonly #known = new Set<string>();
  /** How many of the known ones are stored. */
  #again = 0;
  /** Cases that a worker got and did not run. */
  readonly #returned: Range[] = [];
  /** What the cases that were kept have shown, whichever worker ran them. */
  readonly #shown = new Pool<never>();
  readonly #inputs: Iterator<Json>;
  /** The next stored cases; `undefined` when there are no more. */
  #stored: readonly Json[] | undefined;
  #next: number;
  #size = 1;
  #busy = 0;
  #counts = NO_COUNTS;
  #spent = 0;
  #lost = 0;
  /** Time of the cases that ended a worker, in milliseconds. */
  #lostTime = 0;
  #end: Ended | undefined;

  constructor(crew: Crew, plan: TargetPlan) {
    this.#crew = crew;
    this.#plan = plan;
    this.#next = plan.shard.first;
    this.#inputs = (plan.inputs ?? [])[Symbol.iterator]();
    this.#stored = this.#moreStored();
  }

  get name(): string {
    return this.#plan.target;
  }

  get counts(): Counts {
    return this.#counts;
  }

  /** Time that all workers together have spent on it, in milliseconds. */
  get spent(): number {
    return this.#spent;
  }

  /** Whether there are cases for a worker at the moment. */
  get isOpen(): boolean {
    return this.#end === undefined &&
      (this.#returned.length > 0 || this.#stored !== undefined || this.#next < this.#plan.runs);
  }

  /** Why no more cases run; `undefined` while some may. */
  get end(): Ended | undefined {
    if (this.#busy > 0) return undefined;
    return this.#end ?? (this.isOpen ? undefined : { end: "runs" });
  }

  /** Runs the next cases on the worker of a job. */
  async run(job: number, milliseconds: number): Promise<Slice> {
    const range = this.#take();
    const worker = this.#hire(job);
    if (range === undefined || worker === undefined) return { milliseconds: 0, novel: 0 };
    this.#busy++;
    const { careful: _, ...cases } = range;
    const causes = this.#plan.causes();
    const { now } = this.#crew;
    const asked = now();
    const answer = await worker.ask({
      ask: "cases",
      range: cases,
      milliseconds,
      known: [...this.#known],
      ...(causes === undefined ? {} : { causes }),
      guided: this.#plan.guided ?? false,
      keeps: this.#plan.kept !== undefined,
    });
    const taken = now() - asked;
    this.#busy--;
    this.spend(taken);
    if (answer.say === "ran") this.#ran(range, answer, worker);
    else if (answer.say === "lost") this.#lose(range, answer, taken);
    else if (answer.say === "refused") {
      this.#end ??= { end: answer.trouble ? "trouble" : "broken", message: answer.message };
    }
    return { milliseconds: taken, novel: answer.say === "ran" ? answer.novel : 0 };
  }

  /** Counts time that was spent on making failures of the target smaller. */
  spend(milliseconds: number): void {
    this.#spent += milliseconds;
  }

  /** Reports a failure, unless it is known. */
  meet(origin: Origin): void {
    const name = nameOf(origin.fault);
    if (this.#known.has(name) || this.#known.size - this.#again >= FINDINGS_MAX) return;
    this.#known.add(name);
    this.#plan.met(origin);
  }

  /** A failure of this name is stored: from now on, it is not reported. */
  know(name: string): void {
    if (!this.#known.has(name)) this.#again++;
    this.#known.add(name);
  }

  /** From now on, a failure of this name is a new one. */
  forget(name: string): void {
    this.#known.delete(name);
  }

  /** The next cases. Returned ones come first. */
  #take(): Range | undefined {
    const returned = this.#returned.shift();
    if (returned?.careful === true && returned.to - returned.from > returned.stride) {
      const second = returned.from + returned.stride;
      this.#giveBack({ ...returned, from: second });
      return { ...returned, to: second };
    }
    if (returned !== undefined) return returned;
    const { target, seed, runs, shard: { of: stride }, inputsUntil = Infinity } = this.#plan;
    const stored = this.#stored;
    if (stored !== undefined) {
      if (this.#spent >= inputsUntil) this.#inputs.return?.();
      this.#stored = this.#moreStored();
      return { target, seed, from: 0, to: stored.length, stride: 1, stored };
    }
    if (this.#next >= runs) return undefined;
    const from = this.#next;
    this.#next += this.#size * stride;
    return { target, seed, from, to: Math.min(runs, this.#next), stride };
  }

  #moreStored(): readonly Json[] | undefined {
    const stored: Json[] = [];
    while (stored.length < STORED_MAX) {
      const next = this.#inputs.next();
      if (next.done === true) break;
      stored.push(next.value);
    }
    return stored.length === 0 ? undefined : stored;
  }

  #giveBack(range: Range): void {
    if (range.from < range.to) this.#returned.push(range);
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
    const { to, counts, met, kept = [], unusable = [], trouble, resident } = answer;
    this.#counts = sumCounts([this.#counts, counts]);
    this.#giveBack({ ...range, from: to });
    const ran = (to - range.from) / range.stride;
    this.#size = Math.max(1, Math.min(RANGE_MAX, 2 * ran));
    for (const { index, fault, case: json } of met) {
      this.meet({ ref: refOf(range, index, json), fault });
    }
    for (const { text, features } of kept) {
      if (this.#shown.meet(features).length > 0) this.#plan.kept?.(text);
    }
    for (const reason of unusable) this.#plan.unusable?.(reason);
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
      const message = fault.kind === "timeout"
        ? `${fault.message} (it hangs, or the machine is busy; --timeout allows more)`
        : fault.message;
      this.#end ??= { end: "broken", message };
      return;
    }
    const { from, to, stride } = range;
    const index = beat?.index ?? (to - from <= stride ? from : undefined);
    if (index === undefined) return this.#giveBack({ ...range, careful: true });
    this.#giveBack({ ...range, to: index });
    this.#giveBack({ ...range, from: index + stride });
    const failures = { [fault.signature]: 1 };
    this.#counts = sumCounts([this.#counts, { ...NO_COUNTS, cases: 1, failures }]);
    const ref = refOf(range, index, range.stored?.[index] ?? carriedBy(beat));
    this.meet({ ref, fault, ungenerated: beat?.phase === "generating" });
    this.#lost++;
    this.#lostTime += milliseconds;
    if (this.#lost >= LOST_MAX && this.#isLosing()) {
      const message = `${this.#lost} of ${this.#counts.cases} cases ended their worker`;
      this.#end ??= { end: "hung", message };
    }
  }

  #isLosing(): boolean {
    return this.#lost > LOST_SHARE.cases * this.#counts.cases ||
      this.#lostTime > LOST_SHARE.time * this.#spent;
  }
}

function refOf({ target, seed }: CaseRange, index: number, json: Json | undefined): CaseRef {
  return { target, seed, index, path: [], ...(json === undefined ? {} : { case: json }) };
}

/** The case that a worker was running, if no seed generates it. */
function carriedBy(beat: Beat | undefined): Json | undefined {
  if (beat?.carried === undefined) return undefined;
  try {
    return JSON.parse(beat.carried) as Json;
  } catch {
    // The worker was ended while it wrote the text.
    return undefined;
  }
}
