import type * as fc from "fast-check";
import { type Attempt, type Fault, isFault, sameFault } from "./fault.ts";
import type { Smaller } from "./protocol.ts";
import { type Candidate, droppedFrom, type Drops, generatedFrom } from "./random.ts";

/** A failing case to be made smaller. */
export interface Shrinkable<Case> {
  readonly cases: fc.Arbitrary<Case>;
  /** The cases without one part; none by default. */
  readonly drops?: Drops<Case>;
  /** The first of `drops`, which are tried before anything else; none by default. */
  readonly isolated?: Drops<Case>;
  readonly value: fc.Value<Case>;
  readonly fault: Fault;
  /** The shrink path that led to the value; empty for a case as it was generated. */
  readonly path: readonly number[];
  /** Candidates of the value up to this step were run before. */
  readonly after?: number;
  /** Parts are dropped before the candidates of the arbitrary, for cases that are expensive to run. */
  readonly dropsFirst?: boolean;
}

/** Callbacks of {@link shrink}. */
export interface ShrinkTools<Case> {
  attempt(value: Case): Attempt | Promise<Attempt>;
  /** Whether to stop. */
  done(): boolean;
  /** Whether the time for candidates of the arbitrary is over. The rest is for dropping parts. */
  late?(): boolean;
  /** Called before each candidate with its path; returns `false` if the path is too long. */
  onCandidate(path: readonly number[], step: number): boolean;
  /** Called for each smaller case that fails in the same way. */
  onSmaller?(smaller: Omit<Smaller, "say">): void;
}

/** The smallest case found. */
export interface Shrunk<Case> {
  readonly value: fc.Value<Case>;
  readonly fault: Fault;
  readonly path: readonly number[];
  /** Candidates that were run. */
  readonly tried: number;
  /** Whether no smaller candidate fails in the same way. */
  readonly complete: boolean;
}

/**
 * Makes a case smaller while it fails in the same way. A candidate that fails in another way counts as
 * one that passes, so that one bug does not become another. First the part that fails is isolated, then
 * come the candidates of the arbitrary, and then parts are dropped until each one left is needed.
 */
export async function shrink<Case>(
  start: Shrinkable<Case>,
  tools: ShrinkTools<Case>,
): Promise<Shrunk<Case>> {
  let { value, fault, after } = start;
  const path = [...start.path];
  let tried = 0;
  // Drops are not always tried in the order of their steps, so some may have been skipped.
  let complete = after === undefined || after >= 0;
  let last: number | undefined;
  const late = (): boolean => {
    const isLate = start.drops !== undefined && tools.late?.() === true;
    if (isLate) complete = false;
    return isLate;
  };
  for (;;) {
    let smaller: fc.Value<Case> | undefined;
    for (const { step, value: candidate } of candidatesOf(start, value, { late, last })) {
      if (after !== undefined) {
        if (step === after) after = undefined;
        continue;
      }
      if (tools.done() || !tools.onCandidate(path, step)) {
        return { value, fault, path, tried, complete: false };
      }
      tried++;
      const pending = tools.attempt(candidate.value);
      const result = pending instanceof Promise ? await pending : pending;
      if (isFault(result) && sameFault(result, fault)) {
        smaller = candidate;
        fault = result;
        path.push(step);
        last = step;
        break;
      }
    }
    after = undefined;
    if (smaller === undefined) return { value, fault, path, tried, complete };
    value = smaller;
    tools.onSmaller?.({ steps: [...path], fault });
  }
}

/**
 * The candidates of a value. `last` is the step that led to it: if that dropped a part, the drops after
 * it come before those that have failed already.
 */
function* candidatesOf<Case>(
  { cases, drops, isolated, dropsFirst = false }: Shrinkable<Case>,
  value: fc.Value<Case>,
  { late, last }: { late: () => boolean; last: number | undefined },
): Generator<Candidate<Case>> {
  let first = 0;
  for (const candidate of last === undefined || last < 0 ? droppedFrom(isolated, value) : []) {
    first = candidate.step;
    yield candidate;
  }
  let rest: Iterable<Candidate<Case>> = droppedFrom(drops, value).drop(-first);
  if (last !== undefined && last < first) {
    // Making a candidate costs about as much as running it.
    const passed: Candidate<Case>[] = [];
    for (const candidate of rest) {
      if (candidate.step <= last) yield candidate;
      else passed.push(candidate);
    }
    rest = passed;
  }
  if (dropsFirst) yield* rest;
  for (const candidate of generatedFrom(cases, value)) {
    if (late()) break;
    yield candidate;
  }
  if (!dropsFirst) yield* rest;
}
