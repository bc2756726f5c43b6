import { isDeadly } from "./bench.ts";
import type { Crew } from "./crew.ts";
import type { Dossier } from "./dossier.ts";
import { type Fault, sameFault } from "./fault.ts";
import type { CaseRef, Found, Lost, Shrunk } from "./protocol.ts";

/**
 * Workers that may be lost over one failure before it is left as it is: over one that hangs itself,
 * where a candidate is given less time, and over any other.
 */
const LOST_MAX = { deadly: 64, other: 8 };

/**
 * How long a candidate may take where the case hangs: that share of what a case may, and not less than
 * so many milliseconds.
 */
const HANG_SHARE = 0.1;
const HANG_MIN = 1000;

/** Where a failure comes from. */
export interface Origin {
  readonly ref: CaseRef;
  readonly fault: Fault;
  /** The case cannot be generated again: that did not come to an end. */
  readonly ungenerated?: boolean;
}

/** What making a failure smaller needs. */
export interface Means {
  readonly crew: Crew;
  readonly job: number;
  readonly milliseconds: number;
  /** Another failure was met on the way. */
  met(origin: Origin): void;
}

/**
 * A failure on its way from where it was met to where it is as small as it gets. It outlives the
 * workers: one that a candidate takes down is replaced, and the next one goes on from there.
 */
export class Finding {
  readonly #base: CaseRef;
  #fault: Fault;
  #steps: readonly number[];
  /** The last candidate of the case at hand that took a worker down. */
  #after: number | undefined;
  #tried = 0;
  #complete = false;
  #lost = 0;
  #failsAgain: boolean | undefined;
  #repeats: boolean | undefined;
  #dossier: Dossier | undefined;
  #settled: boolean;

  constructor({ ref, fault, ungenerated = false }: Origin) {
    this.#base = ref;
    this.#fault = fault;
    this.#steps = ref.steps ?? [];
    this.#settled = ungenerated;
  }

  get target(): string {
    return this.#base.target;
  }

  get fault(): Fault {
    return this.#fault;
  }

  /** More time would not make it smaller. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Whether the case failed when it was run once more; `undefined` where that was not tried. */
  get failsAgain(): boolean | undefined {
    return this.#failsAgain;
  }

  /** Makes the case smaller within the time that it is given. */
  async shrink(means: Means): Promise<void> {
    if (isDeadly(this.#fault)) await this.#shrinkDeadly(means);
    else await this.#shrinkWithin(means, means.milliseconds);
  }

  /** What is known of it now, with all that a person and a replay need. */
  async found(crew: Crew): Promise<Found> {
    const dossier = this.#dossier ?? await crew.dossier(this.#ref);
    return {
      index: this.#base.index,
      path: [...this.#base.path, ...this.#steps],
      fault: this.#fault,
      ...(this.#tried > 0 ? { shrink: { tried: this.#tried, complete: this.#complete } } : {}),
      ...(this.#repeats === undefined ? {} : { repeats: this.#repeats }),
      ...(dossier === undefined ? {} : { dossier }),
    };
  }

  get #ref(): CaseRef {
    return { ...this.#base, steps: this.#steps };
  }

  /**
   * A case that hangs or fills the memory costs a worker each time that it is run. Candidates get a
   * tenth of the time; what is left in the end has to hang for the whole of it.
   */
  async #shrinkDeadly(means: Means): Promise<void> {
    const { crew, milliseconds } = means;
    const { timeout } = crew.options;
    const until = crew.now() + milliseconds;
    const start = this.#steps;
    // Running the case once more, before and after, has to fit in.
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

  /** Runs the case once more, for the whole time that a case may take. */
  async #repeatsNow(crew: Crew): Promise<boolean> {
    const answer = await crew.once({ ask: "replay", ref: this.#ref });
    const repeats = answer.say === "lost" && sameFault(answer.fault, this.#fault);
    this.#failsAgain ??= repeats;
    this.#repeats = repeats;
    if (!repeats) this.#settled = true;
    return repeats;
  }

  async #shrinkWithin(means: Means, milliseconds: number, timeout?: number): Promise<void> {
    const { crew, job } = means;
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
      this.#repeats = false;
      this.#settled = true;
      return;
    }
    this.#moveTo(shrunk.steps, shrunk.fault);
    this.#tried += shrunk.tried;
    this.#complete = shrunk.complete;
    this.#repeats = shrunk.repeats ?? this.#repeats;
    this.#dossier = shrunk.dossier;
    this.#settled = shrunk.complete;
  }

  /** A candidate took the worker down: it fails as the case does, or in another way. */
  #lose({ beat, fault }: Lost, means: Means): void {
    this.#lost++;
    this.#tried++;
    const step = beat?.phase === "shrinking" ? beat.path.at(-1) : undefined;
    // Where it is not known what was run, nothing can be left out.
    const most = isDeadly(this.#fault) ? LOST_MAX.deadly : LOST_MAX.other;
    if (this.#lost >= most || beat === undefined || step === undefined) this.#settled = true;
    else if (sameFault(fault, this.#fault)) this.#moveTo(beat.path, this.#fault);
    else {
      this.#after = step;
      means.met({ ref: { ...this.#base, steps: beat.path }, fault });
    }
  }
}
