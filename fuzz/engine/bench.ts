import type * as fc from "fast-check";
import { dossierOf } from "./dossier.ts";
import { type Attempt, attempt, type Fault, faultOf, isFault, sameFault } from "./fault.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { Found } from "./protocol.ts";
import { caseAt, type CaseStream } from "./random.ts";
import type { Scratch } from "./scratch.ts";
import { shrink } from "./shrink.ts";
import type { Target } from "./target.ts";

/** One target on one worker: generates its cases and runs them, one at a time. */
export class Bench {
  readonly target: Target;
  #cases: fc.Arbitrary<unknown> | undefined;
  readonly #scratch: Scratch;
  readonly #heartbeat: Heartbeat;
  #running = false;
  #lost: Fault | undefined;

  constructor(target: Target, surroundings: { scratch: Scratch; heartbeat: Heartbeat }) {
    this.target = target;
    this.#scratch = surroundings.scratch;
    this.#heartbeat = surroundings.heartbeat;
  }

  get cases(): fc.Arbitrary<unknown> {
    return this.#cases ??= this.target.cases();
  }

  /** Lets the target prepare itself. */
  async start(): Promise<void> {
    this.#heartbeat.enter("starting");
    await this.target.start?.(this.#scratch);
    this.#scratch.keep();
    this.#heartbeat.enter("idle");
  }

  /** Lets the target tidy up. */
  async stop(): Promise<void> {
    this.#heartbeat.enter("starting");
    await this.target.stop?.();
    this.#heartbeat.enter("idle");
  }

  /**
   * Generates a case.
   *
   * @throws {Error} when the target's arbitrary is broken
   */
  generate(stream: CaseStream, index: number): fc.Value<unknown> {
    this.#heartbeat.generating(index);
    const { cases } = this;
    try {
      return caseAt(cases, stream, index);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`Cannot generate case ${index} of seed ${stream.seed}: ${reason}`, { cause });
    }
  }

  /** Runs a case that was generated. */
  run(value: unknown): Attempt | Promise<Attempt> {
    this.#heartbeat.running();
    return this.#attempt(value);
  }

  #attempt(value: unknown): Attempt | Promise<Attempt> {
    const pending = attempt(this.target, value, this.#scratch);
    if (pending instanceof Promise) return this.#settle(pending);
    this.#scratch.empty();
    return pending;
  }

  async #settle(pending: Promise<Attempt>): Promise<Attempt> {
    this.#lost = undefined;
    this.#running = true;
    const result = await pending;
    this.#running = false;
    this.#scratch.empty();
    return this.#lost ?? result;
  }

  /**
   * A promise was rejected that nobody awaits: the case at hand fails.
   *
   * @returns whether there is a case at hand
   */
  blame(error: unknown): boolean {
    this.#lost ??= faultOf(error);
    return this.#running;
  }

  /** Makes a failing case as small as time allows, and describes it. */
  async investigate(
    failing: {
      index: number;
      value: fc.Value<unknown>;
      fault: Fault;
      path: readonly number[];
    },
    done: () => boolean,
  ): Promise<Found> {
    const { value, path, fault, tried, complete } = await shrink(
      { cases: this.cases, ...failing },
      {
        attempt: (candidate) => this.#attempt(candidate),
        done,
        onCandidate: (steps, ordinal) => this.#heartbeat.shrinking(steps, ordinal),
      },
    );
    this.#heartbeat.enter("reporting");
    const repeats = await this.#failsFromJson(value.value, fault);
    return {
      index: failing.index,
      path,
      fault,
      shrink: { tried, complete },
      repeats,
      dossier: dossierOf(this.target, value.value, fault.about),
    };
  }

  /** Whether a case fails in the same way when it comes from its JSON, as it does in a replay. */
  async #failsFromJson(value: unknown, fault: Fault): Promise<boolean> {
    try {
      const json = JSON.parse(JSON.stringify(this.target.toJson(value)));
      const again = await this.#attempt(this.target.fromJson(json));
      return isFault(again) && sameFault(again, fault);
    } catch {
      // A case that JSON cannot hold is shown as one that does not repeat.
      return false;
    }
  }
}
