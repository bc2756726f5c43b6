import { formatNames } from "../formats.ts";
import {
  fewAtOnce,
  hasFailed,
  type Operation,
  type Outcome,
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
import { type PackedImage, readImage, recordNames, subjectOf, unpackPacked } from "./store.ts";

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
  /** How many images the peer is asked about at a time. */
  readonly atOnce?: number;
  /** Called for each question that the peer is not asked, as it describes itself, with the reason. */
  readonly onSkipped?: (operation: Operation, reason: string) => void;
  /** Called for each image after its questions, also where there are none; in any order. */
  readonly onImage?: (record: ImageRecord, results: readonly QuestionResult[]) => void;
}

/** What came of one question. */
export interface QuestionResult {
  readonly question: string;
  readonly operation: Operation;
  /** `not-asked` if the peer, as it describes itself, cannot answer it. */
  readonly outcome: Outcome<unknown>["outcome"] | "not-asked";
  /** The feature because of which there is no answer. */
  readonly lacking?: string;
  /** Several where versions of a tool answer differently. */
  readonly failures: readonly VerifyFailure[];
}

/**
 * Compares a peer with recorded images: unpacks each one into an empty directory, asks, and compares
 * with the answers of every recorded version. A crash, a hang or a wrong answer of a tool is not an
 * expected result for other implementations: where nothing else is recorded, the verdict of the
 * reference counts, and where that has none, any answer passes. The tool itself may fail as it is
 * recorded to.
 *
 * ```ts
 * import { QemuImgPeer } from "../peers/mod.ts";
 *
 * const report = await verifyRecords(new QemuImgPeer(), { images: "golden/images" });
 * ```
 *
 * @throws {PeerError} when the peer cannot be started or the recorded images are damaged
 */
export async function verifyRecords(peer: Peer, options: VerifyOptions): Promise<VerifyReport> {
  const { images, names = recordNames(images), ...asking } = options;
  return await verifyEach(peer, names.map((name) => () => readImage(images, name)), asking);
}

/**
 * The same for images from any place, a few of them at a time.
 *
 * @throws {PeerError} when the peer cannot be started or an image is damaged
 */
export async function verifyEach(
  peer: Peer,
  sources: readonly (() => PackedImage)[],
  { onImage, atOnce, ...options }: Omit<VerifyOptions, "images" | "names">,
): Promise<VerifyReport> {
  const reports: VerifyReport[] = [];
  const self = await peer.describe();
  const confirmed = { again: 0, refuted: false };
  await fewAtOnce(sources, async (source) => {
    const image = source();
    const { record } = image;
    const questions = questionsOf(record, peer);
    if (questions.length === 0) return onImage?.(record, []);
    const { report, results } = await withScratch((directory) => {
      unpackPacked(image, directory);
      return verifyImage(record, { ...options, peer, self, confirmed, questions, directory });
    });
    reports.push(report);
    onImage?.(record, results);
  }, atOnce);
  return joinReports(reports);
}

/** A peer, as it describes itself. */
interface Asking extends Pick<VerifyOptions, "version" | "by" | "onSkipped"> {
  readonly peer: Peer;
  readonly self: PeerDescription;
  /** How many wrong answers came again when the question was repeated, and whether any did not. */
  readonly confirmed: { again: number; refuted: boolean };
}

/**
 * An adapter that gives so many wrong answers again keeps nothing of earlier questions: to start it
 * again for each of thousands of wrong answers would take many minutes.
 */
const CONFIRMED_ENOUGH = 64;

/** Time limit of a tool that is recorded to hang, in milliseconds. */
const HANG_MS = 5_000;

/** Asks the questions about an image, one after the other. */
async function verifyImage(
  record: ImageRecord,
  { questions, directory, ...asking }: Asking & {
    readonly questions: readonly Question[];
    readonly directory: string;
  },
): Promise<{ report: VerifyReport; results: QuestionResult[] }> {
  const subject = subjectOf(record, directory);
  const format = formatOf(record);
  const results: QuestionResult[] = [];
  const known: KnownFailure[] = [];
  const lacking: Record<string, number> = {};
  for (const question of questions) {
    const { name, operation } = question;
    const reason = whyNotAsked(asking.self, { question, format });
    if (reason !== undefined) {
      results.push({ question: name, operation, outcome: "not-asked", failures: [] });
      asking.onSkipped?.(operation, reason);
      continue;
    }
    const ask = asking.by === "format" ? askByFormat : askByRecord;
    const { known: failure, ...result } = await ask(question, { ...asking, record, subject });
    results.push({ question: name, operation, ...result });
    if (failure !== undefined) known.push(failure);
    if (result.lacking !== undefined) lacking[result.lacking] = (lacking[result.lacking] ?? 0) + 1;
  }
  const report = {
    images: 1,
    questions: questions.length,
    unsupported: results.filter(({ outcome }) => NO_ANSWER.includes(outcome)).length,
    lacking,
    failures: results.flatMap(({ failures }) => failures),
    known,
  };
  return { report, results };
}

const NO_ANSWER: readonly QuestionResult["outcome"][] = ["unsupported", "not-asked"];

interface About extends Asking {
  readonly record: ImageRecord;
  readonly subject: Subject;
}

type Asked = Omit<QuestionResult, "question" | "operation"> & { readonly known?: KnownFailure };

/** Compares an answer with what the format expects. */
async function askByFormat(
  question: Question,
  { peer, self, confirmed, record, subject }: About,
): Promise<Asked> {
  const image = record.name;
  const isEnough = confirmed.again >= CONFIRMED_ENOUGH && !confirmed.refuted;
  let answer = await posed(question, peer, { image, subject });
  let { failure, feature } = failureByFormat(question, { answer, record, self });
  if (failure !== undefined && answer.outcome.outcome !== "timed-out" && !isEnough) {
    // What an adapter keeps of earlier questions, such as open files, is not the fault of this image.
    answer = await posed(question, peer, { image, subject: { ...subject, again: answer.outcome } });
    ({ failure, feature } = failureByFormat(question, { answer, record, self }));
    if (failure === undefined) confirmed.refuted = true;
    else confirmed.again++;
  }
  return {
    outcome: answer.outcome.outcome,
    ...(feature === undefined ? {} : { lacking: feature }),
    failures: failure === undefined ? [] : [failure],
  };
}

/** Compares an answer with the recorded ones. */
async function askByRecord(question: Question, asking: About): Promise<Asked> {
  const { peer, record, version } = asking;
  const image = record.name;
  const own = ownRecord(question, asking);
  const hangs = own?.outcome.outcome === "timed-out" ? { patienceMs: HANG_MS } : {};
  const answer = await posed(question, peer, { image, subject: { ...asking.subject, ...hangs } });
  const { outcome } = answer.outcome;
  if (outcome === "unsupported") return { outcome, failures: [] };
  const failure = own === undefined ? undefined : knownOf(own, answer);
  return {
    outcome,
    ...(failure === undefined ? {} : { known: { image, question: question.name, ...failure } }),
    failures: failure === undefined || failure.gone
      ? failuresByRecord(question, { answer, record, version })
      : [],
  };
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
