import * as fc from "fast-check";
import type { Json } from "../../src/format/mod.ts";
import { hasCause, kindIn, type KnownCause, LEFT_OUT } from "./causes.ts";
import { dossierOf } from "./dossier.ts";
import { drops, isolated, lowered } from "./drops.ts";
import {
  type Attempt,
  attempt,
  type Fault,
  faultOf,
  isFault,
  isTrouble,
  sameFault,
} from "./fault.ts";
import type { Heartbeat } from "./heartbeat.ts";
import type { Guide, Mutated } from "./kept/guide.ts";
import type { CaseRef, Shrunk, Smaller } from "./protocol.ts";
import { caseAt, type CaseStream, followPath, listedAt } from "./random.ts";
import type { Scratch } from "./scratch.ts";
import { shrink } from "./shrink.ts";
import type { Target } from "./target.ts";

/** A failing case that is made smaller. */
export interface Failing {
  readonly value: fc.Value<unknown>;
  readonly fault: Fault;
  /** How it was made smaller before. */
  readonly steps: readonly number[];
  /** The step up to which candidates were tried before. */
  readonly after?: number;
}

/** How long a failing case is made smaller, and a callback for progress. */
export interface Bounds {
  readonly milliseconds: number;
  /** Causes of other failures. A candidate that fails because of one of them counts as one that passes. */
  readonly causes?: readonly KnownCause[];
  onSmaller(smaller: Omit<Smaller, "say">): void;
}

/** One target on one worker: generates its cases and runs them, one at a time. */
export class Bench {
  readonly target: Target;
  readonly #scratch: Scratch;
  readonly #heartbeat: Heartbeat;
  readonly #now: () => number;
  /** The smaller cases that do not come from the arbitrary. */
  readonly #drops = (value: unknown) => lessOf(this.target, value);
  #cases: fc.Arbitrary<unknown> | undefined;
  #listed: readonly unknown[] | undefined;
  #running = false;
  #lost: Fault | undefined;

  /** A bench for a target. `now` is a clock in milliseconds. */
  constructor(
    target: Target,
    surroundings: { scratch: Scratch; heartbeat: Heartbeat; now: () => number },
  ) {
    this.target = target;
    this.#scratch = surroundings.scratch;
    this.#heartbeat = surroundings.heartbeat;
    this.#now = surroundings.now;
  }

  get cases(): fc.Arbitrary<unknown> {
    return this.#cases ??= this.target.cases();
  }

  /** Prepares the target. */
  async start(): Promise<void> {
    this.#heartbeat.enter("starting");
    await this.target.start?.(this.#scratch);
    this.#scratch.keep();
  }

  /** Cleans up after the target. */
  async stop(): Promise<void> {
    this.#heartbeat.enter("starting");
    await this.target.stop?.();
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
      this.#listed ??= this.target.listed?.() ?? [];
      if (this.#listed.length > 0) {
        return new fc.Value(listedAt(this.#listed, stream, index), undefined);
      }
      return caseAt(cases, stream, index);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`Cannot generate case ${index} of seed ${stream.seed}: ${reason}`, { cause });
    }
  }

  /** The mutation of a kept case that takes the place of a case. */
  mutated(guide: Guide, stream: CaseStream, index: number): Mutated | undefined {
    this.#heartbeat.generating(index);
    const mutated = guide.mutated(stream, index, () => this.generate(stream, index).value);
    if (mutated !== undefined) this.#heartbeat.carry(mutated.text);
    return mutated;
  }

  /**
   * A case that somebody has stored, in place of the one with an index.
   *
   * @throws {Error} when it is not a case of the target
   */
  stored(json: Json, index: number): unknown {
    this.#heartbeat.generating(index);
    const value = this.target.fromJson(json);
    return this.target.repair?.(value) ?? value;
  }

  /**
   * The case of a reference. If the seed and the path still generate it, its arbitrary can make it
   * smaller.
   *
   * @throws {Error} when it cannot be generated any more
   */
  caseOf(ref: CaseRef): fc.Value<unknown> {
    const base = this.#baseOf(ref);
    const value = base && followPath(this.cases, base, ref.steps ?? [], this.#drops);
    if (value === undefined) throw new Error("the case cannot be generated again");
    return value;
  }

  #baseOf(ref: CaseRef): fc.Value<unknown> | undefined {
    const generated = followPath(
      this.cases,
      this.generate(ref, ref.index),
      ref.path,
      this.#drops,
    );
    const text = (value: unknown) => JSON.stringify(this.target.toJson(value));
    if (ref.case === undefined) return generated;
    if (generated !== undefined && text(generated.value) === JSON.stringify(ref.case)) {
      return generated;
    }
    return new fc.Value(this.target.fromJson(ref.case as Json), undefined);
  }

  /** Runs a case that was generated. */
  run(value: unknown): Attempt | Promise<Attempt> {
    this.#heartbeat.running();
    return this.#attempt(value);
  }

  #attempt(value: unknown): Attempt | Promise<Attempt> {
    const pending = attempt(this.target, value, this.#scratch);
    return pending instanceof Promise ? this.#settle(pending) : this.#end(pending);
  }

  async #settle(pending: Promise<Attempt>): Promise<Attempt> {
    this.#lost = undefined;
    this.#running = true;
    const result = await pending;
    this.#running = false;
    return this.#end(this.#lost ?? result);
  }

  /** The result of a case, or trouble if the disk is full. */
  #end(result: Attempt): Attempt {
    try {
      this.#scratch.empty();
      if (isFault(result)) this.#scratch.requireRoom();
      return result;
    } catch (error) {
      const fault = faultOf(error);
      return isTrouble(fault) || !isFault(result) ? fault : result;
    }
  }

  /**
   * Fails the current case for a rejected promise that is not awaited.
   *
   * @returns whether a case is running
   */
  blame(error: unknown): boolean {
    this.#lost ??= faultOf(error);
    return this.#running;
  }

  /** Makes a failing case as small as time allows, and describes it. */
  async investigate(
    failing: Failing,
    { milliseconds, onSmaller, causes = [] }: Bounds,
  ): Promise<Shrunk> {
    const started = this.#now();
    const spent = () => this.#now() - started;
    const deadly = isDeadly(failing.fault);
    const kind = kindIn(failing.fault.signature);
    const alike = causes.filter(({ signature }) => kindIn(signature) === kind);
    const { value, path, fault, tried, complete } = await shrink(
      {
        cases: this.cases,
        drops: this.#drops,
        isolated: (value) => isolated(this.target, value),
        ...failing,
        path: failing.steps,
        dropsFirst: deadly,
      },
      {
        attempt: (candidate) => this.#unknownIn(candidate, alike),
        done: () => this.#heartbeat.stopped || spent() >= milliseconds,
        late: () => spent() >= milliseconds / 2,
        onCandidate: (steps, step) => this.#heartbeat.shrinking(steps, step),
        onSmaller,
      },
    );
    const again = deadly ? {} : { repeats: await this.#failsFromJson(value.value, fault) };
    this.#heartbeat.enter("reporting");
    const dossier = dossierOf(this.target, value.value, fault.about);
    return { steps: path, fault, tried, complete, ...again, dossier };
  }

  /** Runs a candidate. One that fails for a known cause counts as one that passes. */
  #unknownIn(value: unknown, causes: readonly KnownCause[]): Attempt | Promise<Attempt> {
    const grouping = this.target.causes;
    if (grouping === undefined || causes.length === 0) return this.#attempt(value);
    const traits = grouping.traits(value);
    const explained = causes.some((cause) => hasCause(traits, cause));
    return explained ? LEFT_OUT : this.#attempt(value);
  }

  /** Whether a case fails in the same way when it is read from its JSON, as in a replay. */
  async #failsFromJson(value: unknown, fault: Fault): Promise<boolean> {
    this.#heartbeat.enter("reporting");
    try {
      const json = JSON.parse(JSON.stringify(this.target.toJson(value)));
      const again = await this.#attempt(this.target.fromJson(json));
      return isFault(again) && sameFault(again, fault);
    } catch {
      // A case that cannot be stored as JSON is reported as one that does not repeat.
      return false;
    }
  }
}

/** The cases without one part, then those with one number less. */
function* lessOf(target: Target, value: unknown): Generator<unknown> {
  yield* drops(target, value);
  yield* lowered(target, value);
}

/** Whether a case with this fault ends its worker. */
export function isDeadly({ kind }: Fault): boolean {
  return kind === "timeout" || kind === "oom";
}
