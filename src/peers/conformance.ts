import { type Expectation, isListedFeature } from "../expect/mod.ts";
import type { Difference } from "./compare.ts";
import type { CheckReport, DigestScope, Operation, Outcome } from "./peer.ts";

/** Kinds of failure of an implementation, the worst first. */
export const FAILURE_KINDS = [
  /** It answers with other bytes, and says that all is well. */
  "wrong-content",
  /** It leaves an image that breaks the format, or that a check complains about. */
  "writes-invalid",
  /** It uses more memory than the bound. */
  "memory",
  "hang",
  "crash",
  /** It rejects an image that it must accept. */
  "refuses-valid",
  /** It accepts an image that it must reject. */
  "accepts-invalid",
  "wrong-map",
  "wrong-check",
  "wrong-info",
  /** Its answer does not have the shape of an answer. */
  "malformed-answer",
] as const;

/** A kind of failure. */
export type FailureKind = typeof FAILURE_KINDS[number];

/** The order of two kinds of failure: the worse one comes first. */
export function bySeverity(a: FailureKind, b: FailureKind): number {
  return FAILURE_KINDS.indexOf(a) - FAILURE_KINDS.indexOf(b);
}

/** Whether a kind of failure can be used to attack whoever opens an image. */
export function isSecurityRelevant(kind: FailureKind): boolean {
  return kind === "memory" || kind === "hang" || kind === "crash";
}

/** An answer of an implementation, and what is expected. */
export interface Answer {
  readonly operation: Operation;
  readonly outcome: Outcome<unknown>;
  readonly expectation: Expectation;
  /** Features that the image requires, or that the implementation says it lacks, and does not list. */
  readonly lacking: readonly string[];
  /** Whether the implementation has to read the image if it lists all features that are required. */
  readonly listsFeatures: boolean;
  /** Where an accepted answer differs from the right one. */
  differences(): Difference[];
}

/** A failure of an implementation: what kind it is, and where the answer differs. */
export interface Misconduct {
  readonly kind: FailureKind;
  /** Expected left, the answer right. */
  readonly differences: readonly Difference[];
}

/** What the features that an implementation lists mean for an answer. */
export function featuresIn(
  outcome: Outcome<unknown>,
  { required, listed, scope }: {
    /** The features that reading the image requires. */
    readonly required: readonly string[];
    /** Those that the implementation lists; absent if it lists none. */
    readonly listed: readonly string[] | undefined;
    readonly scope: DigestScope | undefined;
  },
): Pick<Answer, "lacking" | "listsFeatures"> {
  if (listed === undefined) return { lacking: [], listsFeatures: false };
  const named = outcome.outcome === "unsupported" ? outcome.feature : undefined;
  const needed = named === undefined ? required : [named, ...required];
  return {
    lacking: needed.filter((feature) => !isListedFeature(feature, listed)),
    // Reading a range or a snapshot is not a feature of the image.
    listsFeatures: scope?.range === undefined && scope?.snapshot === undefined,
  };
}

const WRONG: Readonly<Record<Operation, FailureKind>> = {
  probe: "wrong-info",
  info: "wrong-info",
  map: "wrong-map",
  check: "wrong-check",
  digest: "wrong-content",
  unlock: "wrong-info",
};

/** The kind of failure of an accepted answer that is wrong. */
export function wrongKindOf(operation: Operation): FailureKind {
  return WRONG[operation];
}

/** What is wrong with an answer; nothing for a right one, and for a feature that is not there. */
export function misconductOf(answer: Answer): Misconduct | undefined {
  const { outcome, expectation, lacking, listsFeatures, operation } = answer;
  const failed = (kind: FailureKind): Misconduct => {
    const right = outcome.outcome === "accepted" ? { outcome: "accepted" } : { ...outcome };
    return { kind, differences: [{ path: "", left: { outcome: expectation.verdict }, right }] };
  };
  switch (outcome.outcome) {
    case "crashed":
      return failed("crash");
    case "timed-out":
      return failed("hang");
    case "out-of-memory":
      return failed("memory");
    case "malformed-answer":
      return failed("malformed-answer");
    case "unsupported":
      // Who lists a feature has it.
      return listsFeatures && lacking.length === 0 && expectation.verdict === "must-accept"
        ? failed("refuses-valid")
        : undefined;
    case "rejected":
      return expectation.verdict === "must-accept" && lacking.length === 0
        ? failed("refuses-valid")
        : undefined;
    case "accepted":
      break;
  }
  if (expectation.verdict === "must-reject") {
    return operation === "check" && reportsDamage(outcome.value as CheckReport)
      ? undefined
      : failed("accepts-invalid");
  }
  if (expectation.anyAnswer) return undefined;
  const differences = answer.differences();
  return differences.length === 0 ? undefined : { kind: WRONG[operation], differences };
}

/** A checker answers a damaged image by saying so. */
function reportsDamage({ exitCode, counts = {} }: CheckReport): boolean {
  return exitCode === 1 || exitCode === 2 ||
    (counts.corruptions ?? 0) > 0 || (counts.checkErrors ?? 0) > 0;
}
