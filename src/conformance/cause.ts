import { isRuleId } from "../rules/mod.ts";
import { type Cause, causeOfFeature, causeOfRule } from "./finding.ts";
import type { Observation } from "./observation.ts";
import { bySymptom } from "./symptom.ts";

/** Images that fail, at least, where all that need a feature fail: it is no coincidence then. */
const FEATURE_MIN = 2;
const PAIR_MIN = 3;
const SHOWN_MIN = 4;
/** The same where a few of those that need it pass, and how many of them may pass. */
const MOST_MIN = 5;
const PASSING_MAX = 0.25;
/** The share of failing images that need what they have in common, and of passing ones. */
const COMMON_MIN = 0.9;
const COMMON_PASSING_MAX = 0.25;
/** Images of which pairs of features are tried. */
const PAIRED_MAX = 400;

/**
 * The cause of each failure: the feature that the failing images have in common and the passing ones
 * lack; else the message of a crash or hang that images about different things share; else the rule
 * that the image is about; else the image. An image that is accepted against a rule has that rule as
 * its cause.
 */
export function causesOf(observed: readonly Observation[]): Map<Observation, Cause> {
  const causes = new Map<Observation, Cause>();
  const unexplained: Observation[] = [];
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
    if (!isEvery) unexplained.push(...explain(failing, { passing, causes }));
  }
  for (const failure of unexplained) causes.set(failure, ownCause(failure));
  const byMessage = bySymptom(unexplained, observed, (it) => ownCause(it).name);
  for (const [failure, cause] of byMessage) causes.set(failure, cause);
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

/** Finds the failures that features explain, and returns the others. */
function explain(
  failing: readonly Observation[],
  { passing, causes }: {
    passing: readonly Observation[];
    causes: Map<Observation, Cause>;
  },
): readonly Observation[] {
  const about = { passing, share: 0, of: "features" as const };
  let rest = failing;
  for (;;) {
    const found = bestOf(singles(rest), { ...about, rest, min: FEATURE_MIN }) ??
      bestOf(singles(rest), { ...about, rest, min: MOST_MIN, share: PASSING_MAX }) ??
      bestOf(pairs(rest), { ...about, rest, min: PAIR_MIN }) ??
      bestOf(shown(rest), { ...about, rest, min: SHOWN_MIN, of: "shows" }) ??
      commonOf(rest.filter(({ rule }) => rule === undefined), passing);
    if (found === undefined) break;
    const cause = causeOfFeature(found.features, found.evidence);
    for (const failure of found.failing) causes.set(failure, cause);
    rest = rest.filter((failure) => !found.failing.includes(failure));
  }
  return rest;
}

/**
 * A feature that nearly all failing images need and few of the passing ones: where it is not used in a
 * certain way, images that need it pass.
 */
function commonOf(
  rest: readonly Observation[],
  passing: readonly Observation[],
): Explanation | undefined {
  const allowed = COMMON_PASSING_MAX * imagesIn(passing).size;
  const rare = singles(rest).filter(([feature = ""]) =>
    imagesIn(passing.filter(({ features }) => features.includes(feature))).size <= allowed
  );
  const min = Math.max(MOST_MIN, COMMON_MIN * imagesIn(rest).size);
  return bestOf(rare, { rest, passing, min, share: 1, of: "features" });
}

function singles(failing: readonly Observation[]): string[][] {
  return [...new Set(failing.flatMap(({ features }) => features))].map((feature) => [feature]);
}

function shown(failing: readonly Observation[]): string[][] {
  return [...new Set(failing.flatMap(({ shows = [] }) => shows))].map((feature) => [feature]);
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
function bestOf(candidates: readonly string[][], { rest, passing, min, share, of }: {
  readonly rest: readonly Observation[];
  readonly passing: readonly Observation[];
  readonly min: number;
  readonly share: number;
  readonly of: "features" | "shows";
}): Explanation | undefined {
  let best: Explanation | undefined;
  for (const features of candidates) {
    const needs = (it: Observation) => features.every((feature) => it[of]?.includes(feature));
    const failing = rest.filter(needs);
    const evidence = {
      failing: imagesIn(failing).size,
      passing: imagesIn(passing.filter(needs)).size,
    };
    const allowed = share * (evidence.failing + evidence.passing);
    if (evidence.failing < min || evidence.passing > allowed) continue;
    if (evidence.failing > (best?.evidence.failing ?? 0)) best = { features, failing, evidence };
  }
  return best;
}

function ownCause({ image, rule, broken = [], kind }: Observation): Cause {
  const first = kind === "accepts-invalid" && !broken.includes(rule ?? "") ? broken[0] : undefined;
  const id = first ?? rule ?? broken[0];
  return id !== undefined && isRuleId(id) ? causeOfRule(id) : { type: "image", name: image };
}
