import {
  type Difference,
  featuresIn,
  misconductOf,
  olderVersion,
  type PeerDescription,
} from "../peers/mod.ts";
import { againstReference, anyAnswer, hasSpoken } from "./known.ts";
import type { PosedAnswer, Question } from "./questions.ts";
import type { ImageRecord } from "./record.ts";
import type { VerifyFailure } from "./report.ts";

/** Where an answer differs from those of all versions that have given a right one. */
export function failuresByRecord(
  { name: question, tool, recorded }: Question,
  { answer, record: { name: image, reference }, version: shape }: {
    answer: PosedAnswer;
    record: ImageRecord;
    version: string | undefined;
  },
): VerifyFailure[] {
  const expected = recorded.filter(({ outcome, fault }) =>
    fault === undefined && hasSpoken(outcome)
  );
  if (expected.length === 0) {
    const verdict = reference?.[question];
    const differences = verdict === undefined
      ? anyAnswer(answer.outcome)
      : againstReference(answer.outcome, verdict);
    const recordedBy = verdict === undefined ? [] : ["diskproof"];
    return differences.length === 0 ? [] : [{ image, question, recordedBy, differences }];
  }
  const found = new Map<string, VerifyFailure>();
  for (const { version } of expected) {
    const differences = answer.against(version, olderVersion(version, shape));
    if (differences.length === 0) continue;
    const key = JSON.stringify(differences);
    const recordedBy = [...found.get(key)?.recordedBy ?? [], `${tool} ${version}`];
    found.set(key, { image, question, recordedBy, differences });
  }
  return [...found.values()];
}

/**
 * What is wrong with the answer of an implementation other than the tools, by what the format expects;
 * or the feature because of which it has no answer.
 */
export function failureByFormat(
  question: Question,
  { answer, record, self }: {
    answer: PosedAnswer;
    record: ImageRecord;
    self: PeerDescription;
  },
): { readonly failure?: VerifyFailure; readonly feature?: string } {
  const { name: image, expected } = record;
  const expectation = expected?.answers[question.name] ?? UNKNOWN;
  const { operation, scope } = question;
  const { outcome } = answer;
  const required = expected?.features ?? [];
  const features = featuresIn(outcome, { required, listed: self.features, scope });
  const { recordedBy, differences } = compared(question, { answer, record });
  const misconduct = misconductOf({
    ...{ operation, outcome, expectation, ...features },
    differences: () => differences,
  });
  if (misconduct === undefined) {
    const isLacking = ["unsupported", "rejected"].includes(outcome.outcome);
    const [feature] = features.lacking;
    return isLacking && feature !== undefined ? { feature } : {};
  }
  return { failure: { image, question: question.name, recordedBy, ...misconduct, expectation } };
}

const UNKNOWN = { verdict: "either", reason: "unknown", anyAnswer: true } as const;

/** What is recorded about an answer, and where the answer differs from it. */
interface RecordedComparison {
  readonly recordedBy: string[];
  readonly differences: Difference[];
}

/**
 * Where an accepted answer differs from the recorded ones. One that agrees with any version is right;
 * else the newest version counts.
 */
function compared(
  { name, tool, recorded }: Question,
  { answer, record: { reference } }: { answer: PosedAnswer; record: ImageRecord },
): RecordedComparison {
  const right = recorded.filter(({ outcome, fault }) =>
    fault === undefined && outcome.outcome === "accepted"
  );
  const byVersion = right.map(({ version }) => answer.claims(version));
  const newest = byVersion.at(-1);
  if (newest !== undefined) {
    return {
      recordedBy: right.map(({ version }) => `${tool} ${version}`),
      differences: byVersion.some(({ length }) => length === 0) ? [] : newest,
    };
  }
  const verdict = reference?.[name];
  if (verdict === undefined) return { recordedBy: [], differences: [] };
  const differences = againstReference(answer.outcome, { ...verdict, verdict: "accepted" });
  return { recordedBy: ["diskproof"], differences };
}
