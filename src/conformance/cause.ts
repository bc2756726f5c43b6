import type { FailureKind, Operation } from "../peers/mod.ts";
import { isRuleId } from "../rules/mod.ts";
import { type Cause, causeOfFeature, causeOfRule } from "./finding.ts";

/** How an implementation answered a question about an image. */
export interface Observation {
  readonly image: string;
  readonly operation: Operation;
  /** What reading the image requires, then what else is known of it. */
  readonly features: readonly string[];
  /** The rule that the image breaks, or just keeps. */
  readonly rule?: string;
  /** The rules because of which it must be rejected. */
  readonly broken?: readonly string[];
  /** Absent for an accepted and right answer. Other observations show nothing. */
  readonly kind?: FailureKind;
  /** The member of the answer that is wrong, without indices: `/virtual-size`. */
  readonly member?: string;
}

/** A feature explains failures that at least so many images show. */
const FEATURE_MIN = 2;
const PAIR_MIN = 3;
/** Images that need a feature and pass, as a share of all that need it. */
const PASSING_MAX = 0.1;
const SHARE_MIN = 5;
/** Images of which pairs of features are tried. */
const PAIRED_MAX = 400;

/**
 * The cause of each failure: the feature that the failing images have in common and the passing ones
 * lack; else the rule that the image is about; else the image. An image that is accepted against a
 * rule has that rule as its cause.
 */
export function causesOf(observed: readonly Observation[]): Map<Observation, Cause> {
  const causes = new Map<Observation, Cause>();
  for (const failing of groupsOf(observed)) {
    const [{ kind, operation, member = "" }] = failing;
    if (kind === "accepts-invalid") {
      for (const failure of failing) causes.set(failure, ownCause(failure));
      continue;
    }
    const passing = observed.filter((it) => it.kind === undefined && it.operation === operation);
    const name = `${operation}${member}`;
    const everything: Cause = {
      type: "operation",
      name: name.replaceAll("/", "."),
      says: `${operation} of every image${member === "" ? "" : `: ${member}`}`,
    };
    const isEvery = passing.length === 0 && imagesIn(failing).size >= FEATURE_MIN;
    for (const failure of failing) if (isEvery) causes.set(failure, everything);
    if (!isEvery) explain(failing, { passing, causes });
  }
  return causes;
}

type Failing = [Observation, ...Observation[]];

/** Failures of one kind, operation and member. */
function groupsOf(observed: readonly Observation[]): Failing[] {
  const groups = new Map<string, Failing>();
  for (const failure of observed) {
    if (failure.kind === undefined) continue;
    const key = `${failure.kind} ${failure.operation} ${failure.member ?? ""}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [failure]);
    else group.push(failure);
  }
  return [...groups.values()];
}

function imagesIn(observed: readonly Observation[]): Set<string> {
  return new Set(observed.map(({ image }) => image));
}

/** Features that together explain failures. */
interface Explanation {
  readonly features: readonly string[];
  readonly failing: readonly Observation[];
  readonly evidence: { readonly failing: number; readonly passing: number };
}

function explain(
  failing: readonly Observation[],
  { passing, causes }: {
    passing: readonly Observation[];
    causes: Map<Observation, Cause>;
  },
): void {
  let rest = failing;
  for (;;) {
    const found = bestOf(singles(rest), { rest, passing, min: FEATURE_MIN, share: 0 }) ??
      bestOf(pairs(rest), { rest, passing, min: PAIR_MIN, share: 0 }) ??
      bestOf(singles(rest.filter(({ rule }) => rule === undefined)), {
        ...{ rest: rest.filter(({ rule }) => rule === undefined), passing },
        ...{ min: SHARE_MIN, share: PASSING_MAX },
      });
    if (found === undefined) break;
    const cause = causeOfFeature(found.features, found.evidence);
    for (const failure of found.failing) causes.set(failure, cause);
    rest = rest.filter((failure) => !found.failing.includes(failure));
  }
  for (const failure of rest) causes.set(failure, ownCause(failure));
}

function singles(failing: readonly Observation[]): string[][] {
  return [...new Set(failing.flatMap(({ features }) => features))].map((feature) => [feature]);
}

function pairs(failing: readonly Observation[]): string[][] {
  if (failing.length > PAIRED_MAX) return [];
  const found = new Map<string, string[]>();
  for (const { features } of failing) {
    for (const [at, one] of features.entries()) {
      for (const other of features.slice(at + 1)) found.set(`${one}+${other}`, [one, other]);
    }
  }
  return [...found.values()];
}

/** The features that most failing images need, and at most a share of the passing ones. */
function bestOf(candidates: readonly string[][], { rest, passing, min, share }: {
  readonly rest: readonly Observation[];
  readonly passing: readonly Observation[];
  readonly min: number;
  readonly share: number;
}): Explanation | undefined {
  let best: Explanation | undefined;
  for (const features of candidates) {
    const needs = (it: Observation) => features.every((feature) => it.features.includes(feature));
    const failing = rest.filter(needs);
    const evidence = {
      failing: imagesIn(failing).size,
      passing: imagesIn(passing.filter(needs)).size,
    };
    const allowed = share * (evidence.failing + evidence.passing);
    if (evidence.failing < min || evidence.passing > allowed) continue;
    // Of two that explain the same, the one that is named first is required by the image.
    if (evidence.failing > (best?.evidence.failing ?? 0)) best = { features, failing, evidence };
  }
  return best;
}

function ownCause({ image, rule, broken = [], kind }: Observation): Cause {
  const first = kind === "accepts-invalid" && !broken.includes(rule ?? "") ? broken[0] : undefined;
  const id = first ?? rule ?? broken[0];
  return id !== undefined && isRuleId(id) ? causeOfRule(id) : { type: "image", name: image };
}
