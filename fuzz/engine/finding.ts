import { isDeadly } from "./bench.ts";
import type { KnownCause } from "./causes.ts";
import type { Crew } from "./crew.ts";
import type { Dossier } from "./dossier.ts";
import { type Fault, sameFault } from "./fault.ts";
import type { CaseRef, Found, Lost, Shrunk } from "./protocol.ts";
import { pathText } from "./random.ts";

/**
 * Most workers that are lost while one failure is made smaller: if the failure is a hang, whose
 * candidates have less time, and otherwise.
 */
const LOST_MAX = { deadly: 64, other: 8 };

/**
 * Time limit of a candidate of a case that hangs: a share of the limit of a case, and a minimum in
 * milliseconds.
 */
const HANG_SHARE = 0.1;
const HANG_MIN = 1000;

/** The cause of failures that do not happen again: what causes them is not in the case. */
const UNREPEATABLE: readonly string[] = ["not repeatable"];

/** Where a failure comes from. */
export interface Origin {
  readonly ref: CaseRef;
  readonly fault: Fault;
  /** The case cannot be generated again: the generator hangs. */
  readonly ungenerated?: boolean;
}

/** The means of making a failure smaller. */
export interface Means {
  readonly crew: Crew;
  readonly job: number;
  readonly milliseconds: number;
  /** Causes of other failures. */
  readonly causes?: readonly KnownCause[];
  /** Called for another failure that a candidate shows. */
  met(origin: Origin): void;
}

/**
 * A failure, from when it is found until it is as small as possible. A candidate that ends its
 * worker costs only the worker: the next one continues from there.
 */
export class Finding {
  readonly #base: CaseRef;
  #fault: Fault;
  #steps: readonly number[];
  /** The last candidate of the current case that ended a worker. */
  #after: number | undefined;
  #tried = 0;
  #complete = false;
  #lost = 0;
  #failsAgain: boolean | undefined;
  #repeats: boolean | undefined;
  #dossier: Dossier | undefined;
  #cause: readonly string[] | undefined;
  #settled: boolean;
  /** When it was found, on the clock of the crew. */
  readonly seen: number;

  /**
   * A failure that was found.
   *
   * @param seen when, on the clock of the crew
   */
  constructor({ ref, fault, ungenerated = false }: Origin, seen: number = 0) {
    this.seen = seen;
    this.#base = ref;
    this.#fault = fault;
    this.#steps = ref.steps ?? [];
    this.#settled = ungenerated;
  }

  get target(): string {
    return this.#base.target;
  }

  get seed(): number {
    return this.#base.seed;
  }

  /** Its case as it is now: index and shrink path. */
  get path(): string {
    return pathText(this.#base.index, [...this.#base.path, ...this.#steps]);
  }

  get fault(): Fault {
    return this.#fault;
  }

  /** Whether more time would not make it smaller. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Whether the case failed in a second run; `undefined` if there was none. */
  get failsAgain(): boolean | undefined {
    return this.#failsAgain;
  }

  /** Makes the case smaller within a time limit. */
  async shrink(means: Means): Promise<void> {
    if (isDeadly(this.#fault)) await this.#shrinkDeadly(means);
    else await this.#shrinkWithin(means, means.milliseconds);
  }

  /** The failure as it is now, with everything for a report and for a replay. */
  async found(crew: Crew): Promise<Found> {
    const dossier = this.#dossier ?? await crew.dossier(this.#ref);
    return {
      index: this.#base.index,
      path: [...this.#base.path, ...this.#steps],
      fault: this.#fault,
      ...(this.#tried > 0 ? { shrink: { tried: this.#tried, complete: this.#complete } } : {}),
      ...(this.#repeats === undefined ? {} : { repeats: this.#repeats }),
      ...(dossier === undefined ? {} : { dossier }),
      ...causeIn(this.#cause ?? this.#fault.cause ?? dossier?.traits),
    };
  }

  get #ref(): CaseRef {
    return { ...this.#base, steps: this.#steps };
  }

  /**
   * A case that hangs or fills the memory costs a worker in each run. Candidates have a shorter time
   * limit; the result must fail within the full one.
   */
  async #shrinkDeadly(means: Means): Promise<void> {
    const { crew, milliseconds } = means;
    const { timeout } = crew.options;
    const until = crew.now() + milliseconds;
    const start = this.#steps;
    // Leaves time for a full run before and after.
    if (milliseconds <= 2 * timeout) return;
    if (this.#repeats === undefined && !await this.#repeatsNow(crew)) return;
    const left = until - crew.now() - timeout;
    const limit = Math.min(timeout, Math.max(HANG_MIN, timeout * HANG_SHARE));
    await this.#shrinkWithin(means, left, limit);
    if (this.#steps === start) return;
    if (crew.interrupted === undefined && await this.#repeatsNow(crew)) return;
    this.#steps = start;
    this.#complete = false;
    this.#dossier = undefined;
    this.#repeats = true;
    this.#settled = true;
  }

  /** Runs the case again with the full time limit. */
  async #repeatsNow(crew: Crew): Promise<boolean> {
    const answer = await crew.once({ ask: "replay", ref: this.#ref });
    const repeats = answer.say === "lost" && sameFault(answer.fault, this.#fault);
    this.#failsAgain ??= repeats;
    this.#repeats = repeats;
    if (!repeats) this.#settled = true;
    return repeats;
  }

  async #shrinkWithin(means: Means, milliseconds: number, timeout?: number): Promise<void> {
    const { crew, job, causes } = means;
    const until = crew.now() + milliseconds;
    while (!this.#settled && crew.interrupted === undefined) {
      const left = until - crew.now();
      if (left <= 0) return;
      const answer = await crew.worker(job).ask({
        ask: "shrink",
        ref: this.#ref,
        fault: this.#fault,
        milliseconds: left,
        ...(this.#after === undefined ? {} : { after: this.#after }),
        ...(timeout === undefined ? {} : { timeout }),
        ...(causes === undefined ? {} : { causes }),
      }, ({ steps, fault }) => this.#moveTo(steps, fault));
      if (answer.say !== "lost") {
        return this.#conclude(answer.say === "shrunk" ? answer.shrunk : undefined);
      }
      this.#lose(answer, means);
    }
  }

  #moveTo(steps: readonly number[], fault: Fault): void {
    this.#steps = steps;
    this.#fault = fault;
    this.#after = undefined;
  }

  #conclude(shrunk: Shrunk | undefined): void {
    this.#failsAgain ??= shrunk !== undefined;
    if (shrunk === undefined) {
      this.#cause = UNREPEATABLE;
      this.#repeats = false;
      this.#settled = true;
      return;
    }
    this.#moveTo(shrunk.steps, shrunk.fault);
    this.#tried += shrunk.tried;
    this.#complete = shrunk.complete;
    this.#repeats = shrunk.repeats ?? this.#repeats;
    this.#dossier = shrunk.dossier;
    this.#cause = shrunk.repeats === false ? UNREPEATABLE : shrunk.cause;
    this.#settled = shrunk.complete;
  }

  /** A candidate ended the worker, with the same failure or a different one. */
  #lose({ beat, fault }: Lost, means: Means): void {
    this.#lost++;
    this.#tried++;
    const step = beat?.phase === "shrinking" ? beat.path.at(-1) : undefined;
    // If the candidate is not known, it cannot be skipped.
    const most = isDeadly(this.#fault) ? LOST_MAX.deadly : LOST_MAX.other;
    if (this.#lost >= most || beat === undefined || step === undefined) this.#settled = true;
    else if (sameFault(fault, this.#fault)) this.#moveTo(beat.path, this.#fault);
    else {
      this.#after = step;
      means.met({ ref: { ...this.#base, steps: beat.path }, fault });
    }
  }
}

function causeIn(cause: readonly string[] | undefined): { readonly cause?: readonly string[] } {
  return cause === undefined ? {} : { cause };
}
