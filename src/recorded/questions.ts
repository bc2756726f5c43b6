import {
  compareCheck,
  compareDigest,
  compareInfo,
  compareJson,
  compareMap,
  compareOutcomes,
  type Difference,
  type DigestReport,
  type DigestScope,
  type Outcome,
  type Peer,
  type Subject,
} from "../peers/mod.ts";
import type { GoldenAnswers } from "./record.ts";
import { RecordedPeer } from "./peer.ts";

/** A question about a golden image. */
export interface Question {
  readonly name: string;
  /** What is recorded of it. */
  recorded(answers: GoldenAnswers): Promise<Outcome<unknown>>;
  pose(peer: Peer, subject: Subject): Promise<PosedAnswer>;
}

/** A peer's answer, to be held against recorded ones. */
export interface PosedAnswer {
  readonly outcome: Outcome<unknown>;
  /** Recorded answer left, the peer's right; nothing where no answer is recorded. */
  against(answers: GoldenAnswers, version: string): Promise<Difference[]>;
}

/** Every question that one of these has an answer to. */
export function questionsOf(recorded: readonly GoldenAnswers[]): Question[] {
  const questions = [PROBE, INFO, CHECK];
  if (recorded.some((answers) => answers.map !== undefined)) questions.push(MAP);
  if (recorded.some((answers) => answers.digest !== undefined)) {
    questions.push(digestQuestion("digest", {}));
  }
  for (const snapshot of new Set(recorded.flatMap((it) => Object.keys(it.snapshots ?? {})))) {
    questions.push(digestQuestion(`digest of snapshot ${snapshot}`, { snapshot }));
  }
  const ranges = recorded.flatMap((answers) => answers.ranges ?? []);
  const named = ranges.map((
    { start, length },
  ) => [`digest of ${start}+${length}`, { start, length }]);
  for (const [name, range] of new Map(named as [string, { start: number; length: number }][])) {
    questions.push(digestQuestion(name, { range }));
  }
  return questions;
}

const PROBE = question({
  name: "probe",
  ask: (peer, subject) => peer.probe(subject),
  compare: (left, right) => compareJson(left, right),
});

const INFO = question({
  name: "info",
  ask: (peer, subject) => peer.info(subject),
  compare: (left, right, version) => compareInfo(left, right, { version }),
});

const MAP = question({
  name: "map",
  ask: (peer, subject) => peer.map(subject),
  compare: (left, right, version) => compareMap(left, right, { version }),
});

const CHECK = question({
  name: "check",
  ask: (peer, subject) => peer.check(subject),
  compare: (left, right) => compareCheck(left, right),
});

function digestQuestion(name: string, scope: DigestScope): Question {
  return question<DigestReport>({
    name,
    ask: (peer, subject) => peer.digest(subject, scope),
    compare: compareDigest,
  });
}

interface QuestionParts<T> {
  readonly name: string;
  ask(peer: Peer, subject: Subject): Promise<Outcome<T>>;
  compare(left: T, right: T, version: string): Difference[];
}

function question<T>(parts: QuestionParts<T>): Question {
  // Whatever it is asked about, and of whatever version it is.
  const recorded = (answers: GoldenAnswers) =>
    parts.ask(new RecordedPeer(answers, { version: "" }), { path: "" });
  return {
    name: parts.name,
    recorded,
    pose: async (peer, subject) => {
      const answer = await parts.ask(peer, subject);
      return {
        outcome: answer,
        against: async (answers, version) => {
          const values = (left: T, right: T) => parts.compare(left, right, version);
          return compareOutcomes(await recorded(answers), answer, { values });
        },
      };
    },
  };
}
