import {
  compareDigest,
  compareJson,
  type Difference,
  type DigestReport,
  hasFailed,
  isOlder,
  type Outcome,
  type UnlockReport,
} from "../peers/mod.ts";
import type { ReferenceVerdict } from "./record.ts";

/** A crash, a hang or a wrong answer that is recorded of the tool that was queried. */
export interface KnownFailure {
  readonly image: string;
  readonly question: string;
  /** The version that it is recorded of: the tool's own, or the nearest one. */
  readonly version: string;
  readonly kind: "crash" | "hang" | "fault";
  /** What was recorded, such as `SIGSEGV: `, or what is wrong. */
  readonly message: string;
  /** The tool has given an answer now, or has failed in another way. */
  readonly gone: boolean;
}

/** Whether a tool has given an answer. */
export function hasSpoken<T>(
  outcome: Outcome<T>,
): outcome is Extract<Outcome<T>, { outcome: "accepted" | "rejected" }> {
  return outcome.outcome === "accepted" || outcome.outcome === "rejected";
}

/**
 * The recorded version that is closest to another one: itself, else the newest one before it, else the
 * oldest one.
 */
export function nearestVersion(recorded: readonly string[], version: string): string | undefined {
  const oldestFirst = [...recorded].sort((a, b) => a === b ? 0 : isOlder(a, b) ? -1 : 1);
  return oldestFirst.filter((it) => !isOlder(version, it)).at(-1) ?? oldestFirst[0];
}

/**
 * Whether two outcomes are the same crash, or are hangs. An assertion is known by its function and its
 * condition: files and lines differ from build to build.
 */
export function sameFailure(left: Outcome<unknown>, right: Outcome<unknown>): boolean {
  if (left.outcome === "timed-out") return right.outcome === "timed-out";
  return left.outcome === "crashed" && right.outcome === "crashed" &&
    crashOf(left.message) === crashOf(right.message);
}

function crashOf(message: string): string {
  const [signal] = message.split(":");
  const [, place = ""] = /([\w.~:]+: Assertion `.*' failed)/.exec(message) ?? [];
  return `${signal} ${place.replace(/^.*?:\d+: /, "")}`;
}

/** Where an outcome differs from the verdict of the reference. */
export function againstReference(
  outcome: Outcome<unknown>,
  { verdict, content, slot }: ReferenceVerdict,
): Difference[] {
  const right = outcome.outcome === "accepted" ? { outcome: "accepted" } : { ...outcome };
  if (hasFailed(outcome) || verdict !== "either" && verdict !== outcome.outcome) {
    return [{ path: "", left: { outcome: verdict }, right }];
  }
  if (outcome.outcome !== "accepted") return [];
  if (content !== undefined) return compareDigest(content, outcome.value as DigestReport);
  const opened = (outcome.value as UnlockReport).slot;
  return slot === undefined || opened === undefined ? [] : compareJson({ slot }, { slot: opened });
}

/** A failure to answer where any answer would do. */
export function anyAnswer(outcome: Outcome<unknown>): Difference[] {
  return hasFailed(outcome)
    ? [{ path: "", left: { outcome: "either" }, right: { ...outcome } as never }]
    : [];
}
