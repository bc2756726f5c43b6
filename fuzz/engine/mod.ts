/**
 * The fuzz engine: runs targets, makes failures small, stores and replays them.
 *
 * Invariants:
 *
 * - A case that is drawn depends on seed, target and index. A mutation of kept cases also depends on those
 *   that its worker has kept before.
 * - The main process generates, runs and describes no case: worker processes do, which can be killed.
 * - A case is made smaller within its signature, until no part of it can be dropped.
 * - Trouble of the harness is never reported as a failure of a target.
 * - Shrinking, reported failures, lost workers and stored bytes are bounded.
 * - The engine uses `node:` modules and web standards. The caller starts worker processes and chooses the
 *   folders for artifacts and scratch files.
 *
 * @module
 */

export {
  type ArtifactContent,
  readSidecar,
  requireArtifacts,
  type Sidecar,
  SIDECAR_FORMAT,
  type StoredFile,
  type Versions,
  writeArtifact,
} from "./artifact.ts";
export { formatDuration, parseDuration } from "./budget.ts";
export { type KnownCause, Ledger, type LedgerEntry } from "./causes.ts";
export { Crew, type CrewOptions } from "./crew.ts";
export { Corpus } from "./kept/corpus.ts";
export { anyPath } from "./kept/features.ts";
export { type Merged, type MergedFailure, mergeRuns } from "./kept/merge.ts";
export { type Minimized, minimizeInputs } from "./kept/minimize.ts";
export { type Dossier, type DossierFile, hexRows } from "./dossier.ts";
export { type Fault, type FaultKind } from "./fault.ts";
export { type Finding } from "./finding.ts";
export { type Found, type WorkerSetup } from "./protocol.ts";
export { caseAt, CASES_MAX, fnv1a, pathText } from "./random.ts";
export { Profile } from "./profile.ts";
export { minimize, type Replay, replay } from "./replay.ts";
export { type EarlierCase, storedIn } from "./earlier.ts";
export {
  type CountedEntry,
  type Plan,
  type Progress,
  type Replayed,
  type ReportedFailure,
  type Reporter,
  type Summary,
  type TargetResult,
} from "./plan.ts";
export { fuzz, STATUS } from "./run.ts";
export { serve } from "./serve.ts";
export { type Pipe, supervise } from "./supervise.ts";
export { type Counts, DEPTHS, sumCounts, total } from "./tally.ts";
export {
  type About,
  type CaseFile,
  type CaseReport,
  type Causes,
  type Depth,
  Failure,
  type FailureDetails,
  HarnessError,
  type Mutating,
  type NamedAnswer,
  type Target,
  type TargetContext,
  type Tools,
} from "./target.ts";
export { type Process, ProcessWorker, type Worker } from "./worker.ts";
