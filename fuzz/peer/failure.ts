import { answerTexts } from "../../src/conformance/mod.ts";
import {
  type Difference,
  type FailureKind,
  featuresIn,
  type Misconduct,
  misconductOf,
  type Outcome,
} from "../../src/peers/mod.ts";
import { type RuleId, ruleOf } from "../../src/rules/mod.ts";
import { type About, Failure } from "../engine/mod.ts";
import { toPlainJson } from "../targets/mod.ts";
import type { PeerFacts, PeerQuestion } from "./facts.ts";
import type { PeerUnderTest } from "./under_test.ts";
import type { CaseView } from "./view.ts";

/** What is wrong with an answer. A right answer about a sound image costs no judgement. */
export function wrongIn(
  view: CaseView,
  { question, outcome, under: { description } }: {
    question: PeerQuestion;
    outcome: Outcome<unknown>;
    under: PeerUnderTest;
  },
): Misconduct | undefined {
  const { operation } = question;
  const isSound = view.value.edits.length === 0;
  const isRight = isSound && operation === "digest" && outcome.outcome === "accepted" &&
    !view.isLocked && view.differences(question, outcome.value).length === 0;
  if (isRight) return undefined;
  const { features: listed } = description;
  return misconductOf({
    operation,
    outcome,
    expectation: view.expectation(question),
    ...featuresIn(outcome, { required: view.features, listed, scope: question.scope }),
    differences: () =>
      outcome.outcome === "accepted" ? view.differences(question, outcome.value) : [],
  });
}

/** The failure of a case. */
export function failureOf(
  view: CaseView,
  { text, description: { name, version, takes = [] } }: PeerUnderTest,
  { question, outcome, wrong }: {
    question: PeerQuestion;
    outcome: Outcome<unknown>;
    wrong: Misconduct;
  },
): Failure {
  const expectation = view.expectation(question);
  const { rules = [] } = expectation;
  const isVerdict = wrong.kind === "accepts-invalid" && rules.length > 0;
  const texts = answerTexts(wrong.differences.slice(0, 1));
  const facts: PeerFacts = {
    kind: wrong.kind,
    peer: name,
    version,
    adapter: text,
    operation: question.operation,
    question: question.name,
    ...(question.scope === undefined ? {} : { scope: question.scope }),
    expectation,
    expected: NO_ANSWER.includes(wrong.kind) ? "an answer" : texts.expected,
    answered: texts.answered,
    passphrases: question.passphrase === undefined
      ? takes.includes("passphrases") ? view.passphrases : []
      : [question.passphrase],
    features: view.features,
    rules: view.value.edits.length === 0 ? [] : [...new Set(view.rules)],
  };
  return new Failure(
    `${wrong.kind} ${isVerdict ? rules.join("+") : symptomOf(outcome)}`.trimEnd(),
    `${question.name}: ${messageOf(outcome, facts)}`,
    {
      answers: [{ by: "expected", text: facts.expected }, {
        by: `${name} ${version}`,
        text: facts.answered,
      }],
      about: aboutOf(view, { question, wrong, rule: rules[0] }),
      facts: toPlainJson(facts),
      ...(isVerdict ? { cause: rules } : {}),
    },
  );
}

/** Longest symptom: the start of a message says what it is about. */
const SYMPTOM_MAX = 60;

/** The text of an error without what differs from case to case: names, numbers and addresses. */
function symptomOf(outcome: Outcome<unknown>): string {
  const message = "message" in outcome ? outcome.message : "";
  const [first = ""] = message.trim().split("\n");
  return first.replaceAll(/"[^"]*"|'[^']*'|\S*\/\S*/g, "").replaceAll(/\b\w*\d\w*\b/g, "")
    .replaceAll(/[^A-Za-z]+/g, " ").trim().slice(0, SYMPTOM_MAX);
}

/** Kinds of failures without an answer. */
const NO_ANSWER: readonly FailureKind[] = ["memory", "hang", "crash", "malformed-answer"];

function messageOf(outcome: Outcome<unknown>, { kind, expected, answered }: PeerFacts): string {
  switch (kind) {
    case "refuses-valid":
      return `the image is valid, and the answer is ${outcome.outcome}`;
    case "accepts-invalid":
      return "the image is invalid, and it is accepted";
    case "hang":
    case "crash":
    case "malformed-answer":
    case "memory":
      return answered;
    default:
      return `expected ${expected}, answered ${answered}`;
  }
}

/** The part of the image that decides. */
function aboutOf(
  view: CaseView,
  { question: { scope = {} }, wrong, rule }: {
    question: PeerQuestion;
    wrong: Misconduct;
    rule: RuleId | undefined;
  },
): About {
  const finding = view.value.edits.length === 0
    ? undefined
    : view.judgement.findings.find((it) => it.rule === rule) ??
      view.judgement.findings.find((it) => ruleOf(it.rule).level === "must");
  if (finding !== undefined) {
    const { path, offset } = finding;
    return { path, ...(typeof offset === "number" ? { offset } : {}) };
  }
  if (wrong.kind === "wrong-info") return { path: pathIn(wrong.differences) };
  const [first] = view.disk?.ranges ?? [];
  return { guestOffset: scope.range?.start ?? first?.start ?? 0 };
}

function pathIn([first]: readonly Difference[]): string {
  return first?.path ?? "";
}
