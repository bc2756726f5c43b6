/**
 * Answers on record: golden images and corpus cases, the questions that they answer, and how a peer's
 * answers are compared with them.
 *
 * Invariants:
 *
 * - A recorded crash, hang or wrong answer of a tool is an expectation of nobody, and excused in that tool
 *   alone.
 * - Golden images are unpacked without holes and into an empty directory.
 * - A record cannot name a file outside its own directory.
 *
 * @module
 */

export type {
  CryptsetupAnswers,
  DigestAnswer,
  GoldenAnswers,
  GoldenCommand,
  GoldenFile,
  GoldenRange,
  GoldenRecord,
  NoAnswer,
  ReferenceVerdict,
  ToolAnswer,
  ToolCrash,
  UnlockAnswer,
} from "./record.ts";
export {
  describeFile,
  goldenNames,
  readRecord,
  recordText,
  remove as removeGolden,
  store as storeGolden,
  subjectOf,
  unpack as unpackGolden,
  writeRecord,
} from "./store.ts";
export { type PosedAnswer, type Question, questionsOf } from "./questions.ts";
export { type Asked, askedOf, unlockName } from "./asked.ts";
export { hasSpoken, type KnownFailure } from "./known.ts";
export { infoRecorded, recordVolume, unlockRecorded } from "./volume.ts";
export { recordedDigest, RecordedPeer, recordedTool } from "./peer.ts";
export { type GoldenFailure, type GoldenReport, joinReports } from "./report.ts";
export { verifyGolden, type VerifyOptions } from "./verify.ts";
export {
  archivesIn,
  type PackedImage,
  packImages,
  readArchive,
  verifyPacked,
  type VerifyPackedOptions,
} from "./packed.ts";
