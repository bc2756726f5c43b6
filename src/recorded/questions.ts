import {
  type Answers,
  checkClaims,
  compareCheck,
  compareDigest,
  compareInfo,
  compareJson,
  compareMap,
  compareOutcomes,
  compareVolume,
  type Difference,
  digestClaims,
  type DigestScope,
  infoClaims,
  mapClaims,
  type Operation,
  type Outcome,
  type Peer,
  type Subject,
  type UnlockReport,
  unsupported,
  volumeOf,
  type VolumeReport,
} from "../peers/mod.ts";
import { infoRecorded, unlockRecorded } from "./answers.ts";
import { recordedAnswer } from "./peer.ts";
import type { ImageRecord } from "./record.ts";

/** What one version of a tool answered. */
export interface RecordedOutcome {
  readonly version: string;
  readonly outcome: Outcome<unknown>;
  /** Why that is wrong, where it is. */
  readonly fault?: string;
}

/** A question about the image of a record, and who has answered it. */
export interface Question {
  /** `probe`, `digest of snapshot x`. */
  readonly name: string;
  readonly operation: Operation;
  /** The part of the content that a digest is of. */
  readonly scope?: DigestScope;
  /** The tool whose answers are recorded: `qemu-img` or `cryptsetup`. */
  readonly tool: string;
  readonly recorded: readonly RecordedOutcome[];
  pose(peer: Peer, subject: Subject): Promise<PosedAnswer>;
}

/** A peer's answer, to be compared with recorded ones. */
export interface PosedAnswer {
  readonly outcome: Outcome<unknown>;
  /**
   * Recorded answer left, the peer's right; nothing where no answer is recorded.
   *
   * @param shape the version that both answers are reduced to
   */
  against(version: string, shape: string): Difference[];
  /** Where an accepted answer claims something else than a version that accepted the image. */
  claims(version: string): Difference[];
}

/** What is recorded of an image. */
type Recorded = Pick<ImageRecord, "answers" | "format" | "volume" | "reference">;

/** Everything that a peer can be asked about an image. */
export function questionsOf(record: Recorded, { volume }: Pick<Peer, "volume"> = {}): Question[] {
  const about = volume === undefined ? imageQuestions(record) : [];
  const foreign = Object.keys(record.answers).length === 0;
  // qemu-img prints more of what it knows.
  const info = foreign || volume !== undefined ? volumeInfo(record) : [];
  return [...info, ...about, ...unlockQuestions(record)];
}

interface QuestionParts<T> extends Omit<Question, "recorded" | "pose"> {
  readonly recorded: readonly (RecordedOutcome & { readonly outcome: Outcome<T> })[];
  ask(peer: Peer, subject: Subject): Promise<Outcome<T>>;
  compare(left: T, right: T, shape: string): Difference[];
  /** Compares what an implementation other than the tools claims. */
  claims(left: T, right: T): Difference[];
}

function question<T>({ ask, compare, claims, ...parts }: QuestionParts<T>): Question {
  return {
    ...parts,
    pose: async (peer, subject) => {
      const outcome = await ask(peer, subject);
      const against = (version: string, shape: string) => {
        const recorded = parts.recorded.find((it) => it.version === version);
        const values = (left: T, right: T) => compare(left, right, shape);
        return recorded === undefined ? [] : compareOutcomes(recorded.outcome, outcome, { values });
      };
      const claimed = (version: string) => {
        const right = parts.recorded.find((it) => it.version === version)?.outcome;
        const isAccepted = right?.outcome === "accepted" && outcome.outcome === "accepted";
        return isAccepted ? claims(right.value, outcome.value) : [];
      };
      return { outcome, against, claims: claimed };
    },
  };
}

/** How two answers to an operation of qemu-img are compared. */
const COMPARE: {
  readonly [O in Exclude<keyof Answers, "unlock">]: (
    left: Answers[O],
    right: Answers[O],
    version: string,
  ) => Difference[];
} = {
  probe: compareJson,
  info: (left, right, version) => compareInfo(left, right, { version }),
  map: (left, right, version) => compareMap(left, right, { version }),
  check: compareCheck,
  digest: compareDigest,
};

/** How the claims of other implementations are compared. */
const CLAIMS: {
  readonly [O in Exclude<keyof Answers, "unlock">]: (
    left: Answers[O],
    right: Answers[O],
  ) => Difference[];
} = {
  probe: ({ format: left }, { format: right }) => compareJson({ format: left }, { format: right }),
  info: infoClaims,
  map: mapClaims,
  check: checkClaims,
  digest: digestClaims,
};

function imageQuestions(record: Recorded): Question[] {
  const { answers, format, reference = {} } = record;
  const versions = Object.entries(answers);
  const of = <O extends keyof typeof COMPARE>(
    operation: O,
    name: string = operation,
    scope: DigestScope = {},
  ): Question =>
    question<Answers[O]>({
      name,
      operation,
      scope,
      tool: "qemu-img",
      recorded: versions.map(([version, answer]) => {
        return { version, outcome: recordedAnswer(answer, operation, scope) };
      }),
      ask: (peer, subject) =>
        peer[operation](subject, scope) as unknown as Promise<Outcome<Answers[O]>>,
      compare: COMPARE[operation],
      claims: CLAIMS[operation],
    });
  const all = Object.values(answers);
  const snapshots = new Set(all.flatMap((it) => Object.keys(it.snapshots ?? {})));
  const ranges = new Map(
    all.flatMap(({ ranges = [] }) => ranges)
      .map(({ start, length }) => [
        `digest of ${BigInt(start)}+${BigInt(length)}`,
        { start, length },
      ]),
  );
  const asked = [
    of("probe"),
    of("info"),
    of("check"),
    ...(all.some(({ map }) => map !== undefined) ? [of("map")] : []),
    ...(all.length === 0 || all.some(({ digest }) => digest !== undefined) ? [of("digest")] : []),
    ...[...snapshots].map((snapshot) => {
      return of("digest", `digest of snapshot ${snapshot}`, { snapshot });
    }),
    ...[...ranges].map(([name, range]) => of("digest", name, { range })),
  ];
  return asked
    // Without an answer the verdict of the reference is known, and nothing else.
    .filter(({ name }) => all.length > 0 || Object.hasOwn(reference, name))
    // A format that is given is not probed: the recorded answers do not depend on the probe.
    .filter(({ name }) => format === undefined || name !== "probe");
}

function volumeInfo({ volume = {} }: Recorded): Question[] {
  const versions = Object.entries(volume);
  if (versions.length === 0) return [];
  return [question<VolumeReport>({
    name: "info",
    operation: "info",
    tool: "cryptsetup",
    recorded: versions.map(([version, it]) => ({ version, outcome: infoRecorded(it) })),
    ask: askVolume,
    compare: compareVolume,
    claims: compareVolume,
  })];
}

/** What a peer says of a volume: in its answer to `info`, unless it reads volumes alone. */
async function askVolume(peer: Peer, subject: Subject): Promise<Outcome<VolumeReport>> {
  if (peer.volume !== undefined) return await peer.volume(subject);
  const info = await peer.info(subject);
  if (info.outcome !== "accepted") return info;
  return { outcome: "accepted", value: volumeOf(info.value) ?? {} };
}

const UNLOCK = "unlock with ";

/** The name of the question for the key slot that a passphrase opens. */
export function unlockName(passphrase: string): string {
  return `${UNLOCK}${passphrase}`;
}

function unlockQuestions({ volume = {}, reference = {} }: Recorded): Question[] {
  const versions = Object.entries(volume);
  const tried = versions.flatMap(([, { unlocks }]) => unlocks.map(({ passphrase }) => passphrase));
  const known = Object.keys(reference).filter((name) => name.startsWith(UNLOCK))
    .map((name) => name.slice(UNLOCK.length));
  return [...new Set([...tried, ...known])].map((passphrase) =>
    question<UnlockReport>({
      name: unlockName(passphrase),
      operation: "unlock",
      tool: "cryptsetup",
      recorded: versions.map(([version, it]) => ({ version, ...unlockRecorded(it, passphrase) })),
      ask: async (peer, subject) =>
        await peer.unlock?.({ ...subject, passphrases: [passphrase] }) ??
          unsupported("The peer cannot unlock key slots"),
      compare: compareSlot,
      claims: compareSlot,
    })
  );
}

/** Compares the key slots, where both sides name them. */
function compareSlot(left: UnlockReport, right: UnlockReport): Difference[] {
  if (left.slot === undefined || right.slot === undefined) return [];
  return compareJson({ slot: left.slot }, { slot: right.slot });
}
