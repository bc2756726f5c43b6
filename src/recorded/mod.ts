/**
 * Answers on record: golden images and corpus cases, the questions that they answer, and how a peer's
 * answers are compared with them.
 *
 * Invariants:
 *
 * - A recorded crash, hang or wrong answer of a tool is not an expected result for other
 *   implementations, and excused in that tool alone.
 * - Images are unpacked without holes and into an empty directory.
 * - A record cannot name a file outside its own directory.
 *
 * @module
 */

export type {
  CryptsetupAnswers,
  DigestAnswer,
  ImageRecord,
  NoAnswer,
  QemuImgAnswers,
  RecordedCommand,
  RecordedExpectations,
  RecordedFile,
  RecordedRange,
  ReferenceVerdict,
  ToolAnswer,
  ToolCrash,
  UnlockAnswer,
} from "./record.ts";
export {
  ADDED,
  describeFile,
  jsonText,
  type PackedImage,
  packFamilies,
  readImage,
  readRecord,
  readRecordFiles,
  recordNames,
  recordText,
  removeRecord,
  storeRecord,
  subjectOf,
  unpackPacked,
  unpackRecord,
  writeRecord,
} from "./store.ts";
export {
  type PosedAnswer,
  type Question,
  questionsOf,
  type RecordedOutcome,
  unlockName,
} from "./questions.ts";
export { expectationsFor, expectationsInMemory, withExpectations } from "./expectations.ts";
export { hasSpoken, type KnownFailure } from "./known.ts";
export {
  infoRecorded,
  recordedDigest,
  recordedTool,
  recordVolume,
  unlockRecorded,
} from "./answers.ts";
export { recordedAnswer, RecordedPeer } from "./peer.ts";
export { joinReports, type VerifyFailure, type VerifyReport } from "./report.ts";
export { type QuestionResult, verifyEach, type VerifyOptions, verifyRecords } from "./verify.ts";
export { packTar, type Stretch, stretchesOf, type TarFile } from "./archive/sparse_tar.ts";
export {
  type EncryptedSectors,
  encryptedSectors,
  sectorOptions,
  type SectorVector,
  sectorVectors,
} from "./sectors.ts";
export {
  archivesIn,
  imagesIn,
  packImages,
  readArchive,
  type StoredImage,
  verifyArchive,
  type VerifyArchiveOptions,
} from "./archive/archive.ts";
