import {
  compareOutcomes,
  compareVolume,
  type Difference,
  type Operation,
  type Outcome,
  type Peer,
  type Subject,
} from "../peers/mod.ts";
import { type Question, questionsOf } from "./questions.ts";
import type { GoldenRecord } from "./record.ts";
import { askVolume, compareSlot, infoRecorded, unlockRecorded } from "./volume.ts";

/** What one version of a tool has said. */
export interface RecordedOutcome {
  readonly version: string;
  readonly outcome: Outcome<unknown>;
  /** Why that is wrong, where it is. */
  readonly fault?: string;
}

/** A question about the image of a record, and who has answered it. */
export interface Asked {
  readonly name: string;
  readonly operation: Operation;
  /** Whose answers are recorded: `qemu-img` or `cryptsetup`. */
  readonly tool: string;
  readonly recorded: readonly RecordedOutcome[];
  pose(peer: Peer, subject: Subject): Promise<{
    readonly outcome: Outcome<unknown>;
    /** Where the answer of a version differs, in the shape of another one. */
    against(version: string, shape: string): Promise<Difference[]>;
  }>;
}

/** Everything that a peer can be asked about an image. */
export async function askedOf(
  record: GoldenRecord,
  { volume }: Pick<Peer, "volume">,
): Promise<Asked[]> {
  const about = volume === undefined ? await imageQuestions(record) : [];
  const foreign = Object.keys(record.answers).length === 0;
  // qemu-img tells more of what it knows.
  const info = foreign || volume !== undefined ? volumeInfo(record) : [];
  return [...info, ...about, ...unlockQuestions(record)];
}

async function imageQuestions(record: GoldenRecord): Promise<Asked[]> {
  const { answers, format, reference = {} } = record;
  const versions = Object.entries(answers);
  // Without an answer there is a digest to be known, and nothing else.
  const digest = Object.hasOwn(reference, "digest") ? { digest: { hung: 0 } } : {};
  const asked = versions.length > 0
    ? questionsOf(Object.values(answers))
    : questionsOf([{ ...NO_ANSWERS, ...digest }]).filter(({ name }) => name in reference);
  return await Promise.all(
    // A format that is told is not probed: what was recorded tells nothing of that.
    asked.filter(({ name }) => format === undefined || name !== "probe")
      .map((question) => imageQuestion(question, record)),
  );
}

const NO_ANSWERS = { info: { hung: 0 }, check: { hung: 0 } };

async function imageQuestion(question: Question, { answers }: GoldenRecord): Promise<Asked> {
  const recorded = await Promise.all(
    Object.entries(answers).map(async ([version, answer]) => {
      return { version, outcome: await question.recorded(answer) };
    }),
  );
  return {
    name: question.name,
    // `digest of snapshot x` is a digest.
    operation: question.name.split(" ")[0] as Operation,
    tool: "qemu-img",
    recorded,
    pose: async (peer, subject) => {
      const posed = await question.pose(peer, subject);
      const against = async (version: string, shape: string) => {
        const answer = answers[version];
        return answer === undefined ? [] : await posed.against(answer, shape);
      };
      return { outcome: posed.outcome, against };
    },
  };
}

function volumeInfo({ volume = {} }: GoldenRecord): Asked[] {
  const versions = Object.entries(volume);
  if (versions.length === 0) return [];
  return [volumeQuestion({
    name: "info",
    operation: "info",
    recorded: versions.map(([version, it]) => ({ version, outcome: infoRecorded(it) })),
    ask: askVolume,
    compare: compareVolume,
  })];
}

function unlockQuestions({ volume = {}, reference = {} }: GoldenRecord): Asked[] {
  const versions = Object.entries(volume);
  const tried = versions.flatMap(([, { unlocks }]) => unlocks.map(({ passphrase }) => passphrase));
  const known = Object.keys(reference).filter((name) => name.startsWith(UNLOCK))
    .map((name) => name.slice(UNLOCK.length));
  return [...new Set([...tried, ...known])].map((passphrase) =>
    volumeQuestion({
      name: unlockName(passphrase),
      operation: "unlock",
      recorded: versions.map(([version, it]) => ({ version, ...unlockRecorded(it, passphrase) })),
      ask: (peer, subject) => unlockWith(peer, { ...subject, passphrases: [passphrase] }),
      compare: compareSlot,
    })
  );
}

const UNLOCK = "unlock with ";

/** The name of the question for the key slot that a passphrase opens. */
export function unlockName(passphrase: string): string {
  return `${UNLOCK}${passphrase}`;
}

async function unlockWith(peer: Peer, subject: Subject): Promise<Outcome<{ slot?: number }>> {
  return await peer.unlock?.(subject) ??
    { outcome: "unsupported", message: "It opens no key slots" };
}

interface VolumeQuestion<T> extends Pick<Asked, "name" | "operation"> {
  readonly recorded: readonly (RecordedOutcome & { readonly outcome: Outcome<T> })[];
  ask(peer: Peer, subject: Subject): Promise<Outcome<T>>;
  compare(left: T, right: T): Difference[];
}

function volumeQuestion<T>({ ask, compare, ...question }: VolumeQuestion<T>): Asked {
  return {
    ...question,
    tool: "cryptsetup",
    pose: async (peer, subject) => {
      const outcome = await ask(peer, subject);
      const against = (wanted: string) => {
        const recorded = question.recorded.find(({ version }) => version === wanted);
        return Promise.resolve(
          recorded === undefined
            ? []
            : compareOutcomes(recorded.outcome, outcome, { values: compare }),
        );
      };
      return { outcome, against };
    },
  };
}
