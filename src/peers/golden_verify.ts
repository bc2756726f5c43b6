import type { Difference } from "./compare.ts";
import { questionsOf } from "./golden_questions.ts";
import type { GoldenRecord } from "./golden_record.ts";
import { goldenNames, readRecord, subjectOf, unpack } from "./golden_store.ts";
import type { Peer } from "./peer.ts";
import { withScratch } from "./scratch.ts";
import { olderVersion } from "./versions.ts";

/** What is to be verified, and where. */
export interface VerifyOptions {
  /** The directory of the records. */
  readonly images: string;
  /** Only these images. */
  readonly names?: readonly string[];
  /** The version of qemu-img whose shape the peer's answers have; the newest one's where absent. */
  readonly version?: string;
  /** Told of each image after its questions. */
  readonly onImage?: (name: string, failures: readonly GoldenFailure[]) => void;
}

/** A question that a peer answers differently than was recorded. */
export interface GoldenFailure {
  readonly image: string;
  /** `probe`, `info`, `map`, `check`, `digest`, `digest of snapshot …` or `digest of START+LENGTH`. */
  readonly question: string;
  /** The versions of qemu-img that the recorded answer is by. */
  readonly recordedBy: readonly string[];
  /** Recorded answer left, the peer's right. */
  readonly differences: readonly Difference[];
}

/** The end of a verification. */
export interface GoldenReport {
  readonly images: number;
  readonly questions: number;
  /** Questions that the peer has no answer for. */
  readonly unsupported: number;
  readonly failures: readonly GoldenFailure[];
}

/**
 * Holds a peer against the golden images: unpacks each one into an empty directory, asks, and compares
 * with the answers of every recorded version.
 *
 * ```ts
 * const report = await verifyGolden(new QemuImgPeer(), { images: "golden/images" });
 * ```
 *
 * @throws {PeerError} when the peer cannot be started or the golden images are damaged
 */
export async function verifyGolden(peer: Peer, options: VerifyOptions): Promise<GoldenReport> {
  const failures: GoldenFailure[] = [];
  let images = 0;
  let questions = 0;
  let unsupported = 0;
  for (const name of options.names ?? goldenNames(options.images)) {
    const record = readRecord(options.images, name);
    const verdict = await withScratch((directory) => {
      unpack(options.images, record, directory);
      return verifyImage(peer, record, { directory, version: options.version });
    });
    images++;
    questions += verdict.questions;
    unsupported += verdict.unsupported;
    failures.push(...verdict.failures);
    options.onImage?.(name, verdict.failures);
  }
  return { images, questions, unsupported, failures };
}

interface ImageOptions {
  readonly directory: string;
  readonly version: string | undefined;
}

async function verifyImage(
  peer: Peer,
  record: GoldenRecord,
  options: ImageOptions,
): Promise<Omit<GoldenReport, "images">> {
  const { format } = record;
  const subject = subjectOf(record, options.directory);
  const failures: GoldenFailure[] = [];
  let unsupported = 0;
  // A format that is told is not probed: what was recorded tells nothing of that.
  const questions = questionsOf(Object.values(record.answers))
    .filter((question) => format === undefined || question.name !== "probe");
  for (const question of questions) {
    const answer = await question.pose(peer, subject);
    if (answer.unsupported) unsupported++;
    const found = new Map<string, GoldenFailure>();
    for (const [version, recorded] of Object.entries(record.answers)) {
      const differences = await answer.against(recorded, olderVersion(version, options.version));
      if (differences.length === 0) continue;
      const key = JSON.stringify(differences);
      const recordedBy = [...found.get(key)?.recordedBy ?? [], version];
      found.set(key, { image: record.name, question: question.name, recordedBy, differences });
    }
    failures.push(...found.values());
  }
  return { questions: questions.length, unsupported, failures };
}
