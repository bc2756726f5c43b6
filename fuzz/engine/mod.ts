/**
 * The fuzz engine: runs targets, watches over them, makes failures small, keeps and replays them.
 *
 * Invariants:
 *
 * - A case follows from seed, target and index. Nothing else that is random enters a run.
 * - The main process runs nothing of a target's, so that no case can stop it: not its generation, its
 *   layout, its description or its run. Cases run in worker processes, which can be killed.
 * - A case is shrunk without leaving its signature, until no part of it can be dropped.
 * - Trouble of the harness is never a failure of a target.
 * - Shrinking, failures to report, workers to lose and bytes to keep are all bounded.
 * - The engine uses `node:` modules and web standards; how a worker process is started, and where
 *   artifacts and scratch files go, is decided by its caller.
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
export { formatDuration, parseDuration, shareOf } from "./budget.ts";
export { Crew, type CrewOptions } from "./crew.ts";
export { type Dossier, type DossierFile, hexRows } from "./dossier.ts";
export { type Fault, type FaultKind } from "./fault.ts";
export { type Found, type WorkerSetup } from "./protocol.ts";
export { CASES_MAX, pathText } from "./random.ts";
export { minimize, type Replay, replay } from "./replay.ts";
export {
  fuzz,
  type Plan,
  type Progress,
  type ReportedFailure,
  type Reporter,
  STATUS,
  type Summary,
  type TargetResult,
} from "./run.ts";
export { serve } from "./serve.ts";
export { type Pipe, supervise } from "./supervise.ts";
export { type Counts, DEPTHS, sumCounts, total } from "./tally.ts";
export {
  type About,
  type CaseFile,
  type CaseReport,
  type Depth,
  Failure,
  type FailureDetails,
  HarnessError,
  type NamedAnswer,
  type Target,
  type TargetContext,
  type Tools,
} from "./target.ts";
export { type Process, ProcessWorker, type Worker } from "./worker.ts";
