import { formatNames } from "../formats.ts";
import {
  fewAtOnce,
  hasFailed,
  type Operation,
  type Peer,
  type PeerDescription,
  PeerError,
  type Subject,
  withScratch,
} from "../peers/mod.ts";
import { failureByFormat, failuresByRecord } from "./failures.ts";
import { type KnownFailure, nearestVersion, sameFailure } from "./known.ts";
import { recordedAnswer } from "./peer.ts";
import { type PosedAnswer, type Question, questionsOf, type RecordedOutcome } from "./questions.ts";
import type { ImageRecord } from "./record.ts";
import { joinReports, type VerifyFailure, type VerifyReport } from "./report.ts";
import { readRecord, recordNames, subjectOf, unpackRecord } from "./store.ts";

/** What to verify, and where it is. */
export interface VerifyOptions {
  /** The directory of the records. */
  readonly images: string;
  /** Only these images. */
  readonly names?: readonly string[];
  /**
   * The version of qemu-img that the peer is: its answers have the shape of that version, and it may
   * fail as is recorded of it. Absent for any other peer, whose answers have the newest shape.
   */
  readonly version?: string;
  /**
   * What the answers are compared with: what tools answered, or what the format expects. The tools and
   * the reference are compared with the record, and any other implementation with the format.
   */
  readonly by?: "record" | "format";
  /** Called for each question that the peer is not asked, as it describes itself, with the reason. */
  readonly onSkipped?: (operation: Operation, reason: string) => void;
  /** Called for each image after its questions, also where there are none; in any order. */
  readonly onImage?: (record: ImageRecord, failures: readonly VerifyFailure[]) => void;
}

/** A recorded image. */
export interface RecordSource {
  readonly record: ImageRecord;
  /** Writes its files into a directory. */
  unpack(directory: string): void;
}

/**
 * Compares a peer with recorded images: unpacks each one into an empty directory, asks, and compares
 * with the answers of every recorded version. A crash, a hang or a wrong answer of a tool is not an
 * expected result for other implementations: where nothing else is recorded, the verdict of the
 * reference counts, and where that has none, any answer passes. The tool itself may fail as it is
 * recorded to.
 *
 * ```ts
 * const report = await verifyRecords(new QemuImgPeer(), { images: "golden/images" });
 * ```
 *
 * @throws {PeerError} when the peer cannot be started or the recorded images are damaged
 */
export async function verifyRecords(peer: Peer, options: VerifyOptions): Promise<VerifyReport> {
  const { images, names = recordNames(images), ...asking } = options;
  return await verifyEach(peer, names.map((name) => () => sourceIn(images, name)), asking);
}

function sourceIn(images: string, name: string): RecordSource {
  const record = readRecord(images, name);
  return { record, unpack: (directory) => unpackRecord(images, record, directory) };
}

/**
 * The same for images from any place, a few of them at a time.
 *
 * @throws {PeerError} when the peer cannot be started or an image is damaged
 */
export async function verifyEach(
  peer: Peer,
  sources: readonly (() => RecordSource)[],
  { onImage, ...options }: Omit<VerifyOptions, "images" | "names">,
): Promise<VerifyReport> {
  const reports: VerifyReport[] = [];
  const self = await peer.describe();
  await fewAtOnce(sources, async (source) => {
    const { record, unpack } = source();
    const questions = questionsOf(record, peer);
    if (questions.length === 0) return onImage?.(record, []);
    const report = await withScratch((directory) => {
      unpack(directory);
      return verifyImage(record, { ...options, peer, self, questions, directory });
    });
    reports.push(report);
    onImage?.(record, report.failures);
  });
  return joinReports(reports);
}

/** A peer, as it describes itself. */
interface Asking extends Pick<VerifyOptions, "version" | "by" | "onSkipped"> {
  readonly peer: Peer;
  readonly self: PeerDescription;
}

/** Time limit of a tool that is recorded to hang, in milliseconds. */
const HANG_MS = 5_000;

async function verifyImage(
  record: ImageRecord,
  { questions, directory, ...asking }: Asking & {
    readonly questions: readonly Question[];
    readonly directory: string;
  },
): Promise<VerifyReport> {
  const image = record.name;
  const subject = subjectOf(record, directory);
  const format = formatOf(record);
  const failures: VerifyFailure[] = [];
  const known: KnownFailure[] = [];
  const lacking: Record<string, number> = {};
  let unsupported = 0;
  for (const question of questions) {
    const reason = whyNotAsked(asking.self, { question, format });
    if (reason !== undefined) {
      unsupported++;
      asking.onSkipped?.(question.operation, reason);
      continue;
    }
    if (asking.by === "format") {
      const answer = await posed(question, asking.peer, { image, subject });
      const { failure, feature } = failureByFormat(question, { answer, record, self: asking.self });
      if (failure !== undefined) failures.push(failure);
      else if (feature !== undefined) lacking[feature] = (lacking[feature] ?? 0) + 1;
      if (answer.outcome.outcome === "unsupported") unsupported++;
      continue;
    }
    const own = ownRecord(question, asking);
    const hangs = own?.outcome.outcome === "timed-out" ? { patienceMs: HANG_MS } : {};
    const answer = await posed(question, asking.peer, { image, subject: { ...subject, ...hangs } });
    if (answer.outcome.outcome === "unsupported") {
      unsupported++;
      continue;
    }
    const failure = own === undefined ? undefined : knownOf(own, answer);
    if (failure !== undefined) known.push({ image, question: question.name, ...failure });
    if (failure === undefined || failure.gone) {
      failures.push(...failuresByRecord(question, { answer, record, version: asking.version }));
    }
  }
  return { images: 1, questions: questions.length, unsupported, lacking, failures, known };
}

/** Asks; an error of the peer names the question. */
async function posed(
  question: Question,
  peer: Peer,
  { image, subject }: { image: string; subject: Subject },
): Promise<PosedAnswer> {
  try {
    return await question.pose(peer, subject);
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    throw new PeerError(`${error.message} (${question.name} of ${image})`);
  }
}

/** Why a peer is not asked a question, as it describes itself. */
function whyNotAsked(
  { name, formats, operations }: PeerDescription,
  { question: { operation }, format }: { question: Question; format: string | undefined },
): string | undefined {
  if (formats.length > 0 && format !== undefined && !formats.includes(format)) {
    return `${name} does not declare support for ${format}`;
  }
  return operations.includes(operation)
    ? undefined
    : `${name} does not declare support for ${operation}`;
}

/** The format of an image: as recorded, or as the newest version probes it. */
function formatOf({ format, answers, expected }: ImageRecord): string | undefined {
  if (expected !== undefined) return expected.format;
  const newest = Object.values(answers).at(-1);
  if (format !== undefined || newest === undefined) return format;
  const probed = recordedAnswer(newest, "probe");
  if (probed.outcome !== "accepted") return undefined;
  return formatNames.includes(probed.value.format) ? probed.value.format : undefined;
}

/** What is recorded of the version that the peer is, or of the nearest one. */
function ownRecord(
  { tool, recorded }: Question,
  { self, version }: Pick<Asking, "self" | "version">,
): RecordedOutcome | undefined {
  const own = tool === "qemu-img" ? version : tool === self.name ? self.version : undefined;
  if (own === undefined) return undefined;
  const nearest = nearestVersion(recorded.map((it) => it.version), own);
  return recorded.find((it) => it.version === nearest);
}

/** Whether the failure that is recorded of the peer itself has come again; nothing where none is. */
function knownOf(
  { version, outcome, fault }: RecordedOutcome,
  answer: PosedAnswer,
): Omit<KnownFailure, "image" | "question"> | undefined {
  if (fault !== undefined) {
    const gone = answer.against(version, version).length > 0;
    return { version, kind: "fault", message: fault, gone };
  }
  if (!hasFailed(outcome)) return undefined;
  const kind = outcome.outcome === "crashed" ? "crash" : "hang";
  return { version, kind, message: outcome.message, gone: !sameFailure(outcome, answer.outcome) };
}
