/**
 * Records the answers of installed tools about an image, for golden images, the corpus and the
 * matrix.
 */

import {
  type CryptsetupPeer,
  type DigestScope,
  PeerError,
  type QemuImgPeer,
  type Subject,
  withScratch,
} from "../../src/peers/mod.ts";
import {
  type CryptsetupAnswers,
  type DigestAnswer,
  type ImageRecord,
  infoRecorded,
  type QemuImgAnswers,
  readRecord,
  recordedDigest,
  type RecordedRange,
  recordedTool,
  recordNames,
  recordVolume,
  subjectOf,
  unpackRecord,
} from "../../src/recorded/mod.ts";

/** A record with stored files, and their place. */
export interface Stored {
  readonly images: string;
  readonly record: ImageRecord;
}

/** Additional parts to record about an image. */
export interface Queries {
  /** Snapshots whose content is digested. */
  readonly snapshots?: readonly string[];
  /** Parts of the content that are digested, in bytes. */
  readonly ranges?: readonly Pick<RecordedRange, "start" | "length">[];
  /** `map` is skipped. */
  readonly withoutMap?: true;
}

/** Content longer than this is digested only in parts. */
const WHOLE_DIGEST_LIMIT = 32 * 1024 * 1024;

/** The record of an image of this name; `undefined` if its files were different. */
export function recordedBefore(images: string, record: ImageRecord): ImageRecord | undefined {
  if (!recordNames(images).includes(record.name)) return undefined;
  const before = readRecord(images, record.name);
  return JSON.stringify(before.files) === JSON.stringify(record.files) ? before : undefined;
}

/**
 * The answers about an image: those of the record, and those of each peer that has some. Answers of
 * other versions about the same bytes are still valid.
 */
export async function withAnswers(
  { images, record }: Stored,
  { peers, queries = {} }: { peers: readonly QemuImgPeer[]; queries?: Queries },
): Promise<ImageRecord["answers"]> {
  const answers: { [version: string]: QemuImgAnswers } = { ...record.answers };
  for (const peer of peers) {
    const { version } = await peer.describe();
    if (await peer.lacking(subjectOf(record, "")) !== undefined) continue;
    answers[version] = await answersOf(peer, { images, record }, queries);
  }
  return answers;
}

/** Queries one version for an image that has just been unpacked. */
async function answersOf(
  peer: QemuImgPeer,
  { images, record }: Stored,
  { snapshots, ranges, withoutMap }: Queries,
): Promise<QemuImgAnswers> {
  return await withScratch(async (directory) => {
    unpackRecord(images, record, directory);
    const subject = subjectOf(record, directory);
    const info = await peer.info(subject);
    const length = info.outcome === "accepted" ? info.value["virtual-size"] : 0;
    const digest = async (scope?: DigestScope) => recordedDigest(await peer.digest(subject, scope));
    const ofSnapshots: { [name: string]: DigestAnswer } = {};
    for (const name of snapshots ?? []) ofSnapshots[name] = await digest({ snapshot: name });
    const ofRanges: RecordedRange[] = [];
    for (const range of ranges ?? []) ofRanges.push({ ...range, digest: await digest({ range }) });
    return {
      info: recordedTool(await peer.ask("info", subject)),
      ...(withoutMap ? {} : { map: recordedTool(await peer.ask("map", subject)) }),
      check: recordedTool(await peer.ask("check", subject)),
      ...(length > WHOLE_DIGEST_LIMIT ? {} : { digest: await digest() }),
      ...(snapshots === undefined ? {} : { snapshots: ofSnapshots }),
      ...(ranges === undefined ? {} : { ranges: ofRanges }),
    };
  });
}

/**
 * Queries cryptsetup for a volume and for the key slot of each passphrase.
 *
 * @throws {PeerError} when it does not answer one of them
 */
export async function cryptsetupAnswers(
  cryptsetup: CryptsetupPeer,
  { subject, passphrases }: { subject: Subject; passphrases: readonly string[] },
): Promise<CryptsetupAnswers> {
  const answers = await recordVolume(cryptsetup, { subject, passphrases });
  const answered = infoRecorded(answers).outcome === "accepted" &&
    answers.unlocks.length === passphrases.length &&
    answers.unlocks.every(({ slot }) => slot !== undefined);
  if (!answered) throw new PeerError(`cryptsetup ${JSON.stringify(answers)}`);
  return answers;
}
