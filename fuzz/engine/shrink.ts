import type * as fc from "fast-check";
import { type Attempt, type Fault, isFault, sameFault } from "./fault.ts";

/** A failing case to be made smaller. */
export interface Shrinkable<Case> {
  readonly cases: fc.Arbitrary<Case>;
  readonly value: fc.Value<Case>;
  readonly fault: Fault;
  /** The shrink path that led to the value; empty for a case as it was generated. */
  readonly path: readonly number[];
}

/** What the shrinking may use. */
export interface ShrinkTools<Case> {
  attempt(value: Case): Attempt | Promise<Attempt>;
  /** Time is up, or the run was stopped. */
  done(): boolean;
  /** Called before each candidate with its path; `false` when the path is as long as it may get. */
  onCandidate(path: readonly number[], ordinal: number): boolean;
}

/** The smallest case that was found. */
export interface Shrunk<Case> {
  readonly value: fc.Value<Case>;
  readonly fault: Fault;
  readonly path: readonly number[];
  /** Candidates that were run. */
  readonly tried: number;
  /** No smaller candidate fails in the same way; otherwise time ran out. */
  readonly complete: boolean;
}

/**
 * Makes a case smaller while it fails in the same way: a candidate that fails otherwise counts as
 * one that passes, so that one bug is not shrunk into another.
 */
export async function shrink<Case>(
  start: Shrinkable<Case>,
  tools: ShrinkTools<Case>,
): Promise<Shrunk<Case>> {
  const { cases } = start;
  let { value, fault } = start;
  const path = [...start.path];
  let tried = 0;
  for (;;) {
    let smaller: fc.Value<Case> | undefined;
    let ordinal = 0;
    for (const candidate of cases.shrink(value.value_, value.context)) {
      if (tools.done() || !tools.onCandidate(path, ordinal)) {
        return { value, fault, path, tried, complete: false };
      }
      tried++;
      const pending = tools.attempt(candidate.value);
      const result = pending instanceof Promise ? await pending : pending;
      if (isFault(result) && sameFault(result, fault)) {
        smaller = candidate;
        fault = result;
        break;
      }
      ordinal++;
    }
    if (smaller === undefined) return { value, fault, path, tried, complete: true };
    value = smaller;
    path.push(ordinal);
  }
}
