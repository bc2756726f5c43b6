import { formatNames } from "../formats.ts";
import {
  fewAtOnce,
  olderVersion,
  type Operation,
  type Peer,
  type PeerDescription,
  PeerError,
  type Subject,
  withScratch,
} from "../peers/mod.ts";
import { type Asked, askedOf, type RecordedOutcome } from "./asked.ts";
import {
  againstReference,
  anyAnswer,
  hasFailed,
  hasSpoken,
  type KnownFailure,
  nearestVersion,
  sameFailure,
} from "./known.ts";
import type { GoldenRecord } from "./record.ts";
import { type GoldenFailure, type GoldenReport, joinReports } from "./report.ts";
import { RecordedPeer } from "./peer.ts";
import { goldenNames, readRecord, subjectOf, unpack } from "./store.ts";

/** What is to be verified, and where. */
export interface VerifyOptions {
  /** The directory of the records. */
  readonly images: string;
  /** Only these images. */
  readonly names?: readonly string[];
  /**
   * The version of qemu-img that the peer is: its answers have that one's shape, and it may fail as is
   * recorded of that one. Absent for any other peer, which has the newest one's shape.
   */
  readonly version?: string;
  /** Told of each question that the peer is not asked, as it says itself, and why. */
  readonly onPassedOver?: (operation: Operation, reason: string) => void;
  /** Told of each image after its questions, also where there are none; in whatever order. */
  readonly onImage?: (record: GoldenRecord, failures: readonly GoldenFailure[]) => void;
}

/** An image that is to be asked about. */
export interface GoldenSource {
  readonly record: GoldenRecord;
  /** Writes its files into a directory. */
  unpack(directory: string): void;
}

/**
 * Holds a peer against the golden images: unpacks each one into an empty directory, asks, and compares
 * with the answers of every recorded version. A crash, a hang or a wrong answer of a tool binds nobody:
 * where nothing else is recorded, the verdict of the reference counts, and where that has none, any
 * answer will do. The tool itself may fail as it is recorded to.
 *
 * ```ts
 * const report = await verifyGolden(new QemuImgPeer(), { images: "golden/images" });
 * ```
 *
 * @throws {PeerError} when the peer cannot be started or the golden images are damaged
 */
export async function verifyGolden(peer: Peer, options: VerifyOptions): Promise<GoldenReport> {
  const { images, names = goldenNames(images), ...asking } = options;
  return await verifyEach(peer, names.map((name) => () => sourceIn(images, name)), asking);
}

function sourceIn(images: string, name: string): GoldenSource {
  const record = readRecord(images, name);
  return { record, unpack: (directory) => unpack(images, record, directory) };
}

/**
 * Does so with images from wherever they come, a few of them at a time.
 *
 * @throws {PeerError} when the peer cannot be started or an image is damaged
 */
export async function verifyEach(
  peer: Peer,
  sources: readonly (() => GoldenSource)[],
  { onImage, ...options }: Omit<VerifyOptions, "images" | "names">,
): Promise<GoldenReport> {
  const reports: GoldenReport[] = [];
  const self = await peer.describe();
  await fewAtOnce(sources, async (source) => {
    const { record, unpack } = source();
    const asked = await askedOf(record, peer);
    if (asked.length === 0) return onImage?.(record, []);
    const verdict = await withScratch((directory) => {
      unpack(directory);
      return verifyImage(peer, record, { ...options, directory, asked, self });
    });
    reports.push({ images: 1, ...verdict });
    onImage?.(record, verdict.failures);
  });
  return joinReports(reports);
}

interface ImageOptions extends Pick<VerifyOptions, "version" | "onPassedOver"> {
  readonly directory: string;
  readonly asked: readonly Asked[];
  /** Who the peer is. */
  readonly self: PeerDescription;
}

/** Milliseconds that a tool is waited for that is recorded to hang. */
const HANG_MS = 5_000;

async function verifyImage(
  peer: Peer,
  record: GoldenRecord,
  { directory, asked, self, version, onPassedOver }: ImageOptions,
): Promise<Omit<GoldenReport, "images">> {
  const subject = subjectOf(record, directory);
  const failures: GoldenFailure[] = [];
  const known: KnownFailure[] = [];
  let unsupported = 0;
  const format = await formatOf(record);
  for (const question of asked) {
    const reason = whyNotAsked(self, { question, format });
    if (reason !== undefined) {
      unsupported++;
      onPassedOver?.(question.operation, reason);
      continue;
    }
    const own = ownRecord(question, { self, version });
    const hangs = own?.outcome.outcome === "timed-out" ? { patienceMs: HANG_MS } : {};
    const answer = await posed(question, peer, { record, subject: { ...subject, ...hangs } });
    if (answer.outcome.outcome === "unsupported") {
      unsupported++;
      continue;
    }
    const failure = own === undefined ? undefined : await knownOf(own, answer);
    if (failure !== undefined) {
      known.push({ image: record.name, question: question.name, ...failure });
    }
    if (failure === undefined || failure.gone) {
      failures.push(...await failuresOf(question, { answer, record, version }));
    }
  }
  return { questions: asked.length, unsupported, failures, known };
}

/** Asks; a peer that breaks the protocol does so about an image, which is to be known. */
async function posed(
  question: Asked,
  peer: Peer,
  { record, subject }: { record: GoldenRecord; subject: Subject },
): Promise<Answer> {
  try {
    return await question.pose(peer, subject);
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    throw new PeerError(`${error.message} (${question.name} of ${record.name})`);
  }
}

/** Why a peer is not asked a question, as it says of itself. */
function whyNotAsked(
  { name, formats, operations }: PeerDescription,
  { question: { operation }, format }: { question: Asked; format: string | undefined },
): string | undefined {
  if (formats.length > 0 && format !== undefined && !formats.includes(format)) {
    return `${name} does not say that it knows ${format}`;
  }
  return operations.includes(operation)
    ? undefined
    : `${name} does not say that it has ${operation}`;
}

/** The format of an image: the one that is told, or that the newest version tells. */
async function formatOf({ format, answers }: GoldenRecord): Promise<string | undefined> {
  const [version, newest] = Object.entries(answers).at(-1) ?? [];
  if (format !== undefined || version === undefined || newest === undefined) return format;
  const probed = await new RecordedPeer(newest, { version }).probe();
  if (probed.outcome !== "accepted") return undefined;
  return formatNames.includes(probed.value.format) ? probed.value.format : undefined;
}

/** What is recorded of the version that the peer is, or of the nearest one. */
function ownRecord(
  { tool, recorded }: Asked,
  { self, version }: { self: PeerDescription; version: string | undefined },
): RecordedOutcome | undefined {
  const own = tool === "qemu-img" ? version : tool === self.name ? self.version : undefined;
  if (own === undefined) return undefined;
  const nearest = nearestVersion(recorded.map((it) => it.version), own);
  return recorded.find((it) => it.version === nearest);
}

type Answer = Awaited<ReturnType<Asked["pose"]>>;

/** What has become of a failure that is recorded of the tool that the peer is; nothing where none is. */
async function knownOf(
  { version, outcome, fault }: RecordedOutcome,
  answer: Answer,
): Promise<Omit<KnownFailure, "image" | "question"> | undefined> {
  if (fault !== undefined) {
    const gone = (await answer.against(version, version)).length > 0;
    return { version, kind: "fault", message: fault, gone };
  }
  if (!hasFailed(outcome)) return undefined;
  const kind = outcome.outcome === "crashed" ? "crash" : "hang";
  const gone = !sameFailure(outcome, answer.outcome);
  return { version, kind, message: outcome.message, gone };
}

/** Where an answer differs from those of all versions that have given a right one. */
async function failuresOf(
  { name: question, tool, recorded }: Asked,
  { answer, record: { name: image, reference }, version: shape }: {
    answer: Answer;
    record: GoldenRecord;
    version: string | undefined;
  },
): Promise<GoldenFailure[]> {
  const binding = recorded.filter(({ outcome, fault }) =>
    fault === undefined && hasSpoken(outcome)
  );
  if (binding.length === 0) {
    const verdict = reference?.[question];
    const differences = verdict === undefined
      ? anyAnswer(answer.outcome)
      : againstReference(answer.outcome, verdict);
    const recordedBy = verdict === undefined ? [] : ["diskproof"];
    return differences.length === 0 ? [] : [{ image, question, recordedBy, differences }];
  }
  const found = new Map<string, GoldenFailure>();
  for (const { version } of binding) {
    const differences = await answer.against(version, olderVersion(version, shape));
    if (differences.length === 0) continue;
    const key = JSON.stringify(differences);
    const recordedBy = [...found.get(key)?.recordedBy ?? [], `${tool} ${version}`];
    found.set(key, { image, question, recordedBy, differences });
  }
  return [...found.values()];
}
