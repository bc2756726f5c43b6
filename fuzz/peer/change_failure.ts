import { isRuleId, type RuleId } from "../../src/rules/mod.ts";
import { CHANGE_OPERATIONS, type ChangeOperation, type FailureKind } from "../../src/peers/mod.ts";
import { Failure } from "../engine/mod.ts";
import { toPlainJson } from "../targets/mod.ts";
import type { PeerFacts } from "./facts.ts";
import type { PeerUnderTest } from "./under_test.ts";

/** What a change does that is not made. */
const OUTCOMES: Readonly<Record<string, FailureKind>> = {
  rejected: "refuses-valid",
  crashed: "crash",
  "timed-out": "hang",
  "out-of-memory": "memory",
  "malformed-answer": "malformed-answer",
};

/** Signatures of failures of what a guest sees, behind who failed. */
const CONTENT = /^(content|snapshot|snapshots|snapshot-size|size|map|bitmaps|concurrent)(\.|$)/;

/** Operations that are called otherwise in a signature. */
const OPERATIONS: Readonly<Record<string, ChangeOperation>> = {
  zero: "write-zeroes",
  reopen: "close",
  snapshot: "snapshot-create",
  apply: "snapshot-apply",
  delete: "snapshot-delete",
};

/**
 * A failure of a sequence as one of an implementation, with its kind and the facts for a report.
 *
 * @param passphrases those that the implementation was given
 */
export function changeFailure(
  { signature, message, details }: Failure,
  { text, description: { name, version } }: PeerUnderTest,
  { features, passphrases }: {
    readonly features: readonly string[];
    readonly passphrases: readonly string[];
  },
): Failure {
  const [, ...rest] = signature.split(".");
  const [verb = "", outcome = ""] = rest;
  const what = rest.join(".");
  const kind = OUTCOMES[outcome] ?? (CONTENT.test(what) ? "wrong-content" : "writes-invalid");
  const rules = brokenIn(what);
  const answer = (by: (who: string) => boolean) =>
    details.answers?.find((it) => by(it.by))?.text.trim();
  const expected = answer((who) => who === "model") ?? EXPECTED[kind] ?? "the change is made";
  const answered = answer((who) => who !== "model") ?? message;
  const facts: PeerFacts = {
    ...{ kind, peer: name, version, adapter: text, expected, answered, passphrases, features },
    operation: OPERATIONS[verb] ?? CHANGE_OPERATIONS.find((it) => it === verb) ?? "write",
    question: "changes",
    expectation: { verdict: "must-accept", ...(rules.length === 0 ? {} : { rules }) },
    rules: [],
  };
  return new Failure(`${kind} ${signature}`, message, { ...details, facts: toPlainJson(facts) });
}

const EXPECTED: Readonly<Partial<Record<FailureKind, string>>> = {
  "wrong-content": "each sector as it was written",
  "writes-invalid": "an image that keeps the format and checks clean",
};

/** The rule that a signature names: alone, or as the reason why an image is unreadable. */
function brokenIn(what: string): RuleId[] {
  return [what, what.replace(/^unreadable\./, "")].filter(isRuleId).slice(0, 1);
}
