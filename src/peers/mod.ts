/**
 * Implementations under test, and how their answers are compared.
 *
 * Invariants:
 *
 * - Every implementation has one interface, `Peer`, and answers in qemu-img's shapes. A field that an
 *   implementation does not print is absent, never filled in.
 * - An outcome is accepted, rejected, unsupported, crashed, timed out or a malformed answer. A crash is
 *   never a rejection.
 * - A tool that is there and does not work is an error, and never looks as if it were not installed.
 * - Every process has a time limit and a limit on what it prints, sees a fixed environment, no shell
 *   and no standard input of the caller, and is killed with SIGKILL.
 * - A peer answers in one directory: relative names, also those in images, are relative to it.
 * - A passphrase is passed to a tool in a file that only this user can read. No list of processes shows
 *   it, and it is removed from what a tool prints.
 * - Temporary files are in a scratch folder with a lock; the next run removes what a killed run leaves.
 * - What a comparison leaves out is declared as data, by version.
 *
 * @module
 */

export {
  accepted,
  type ChainImage,
  type Change,
  type ChangeOperation,
  type CheckReport,
  type DigestReport,
  type DigestScope,
  type FailedOutcome,
  hasFailed,
  type InfoReport,
  type MapEntry,
  type Operation,
  type Outcome,
  type Overlapped,
  type Peer,
  type PeerDescription,
  PeerError,
  rejected,
  type Subject,
  type Taken,
  type UnlockReport,
  unsupported,
  type VolumeReport,
} from "./peer.ts";
export { type Answers, ForwardingPeer } from "./forwarding.ts";
export { checkClaims, digestClaims, infoClaims, mapClaims } from "./claims.ts";
export {
  type Answer,
  bySeverity,
  FAILURE_KINDS,
  type FailureKind,
  featuresIn,
  isSecurityRelevant,
  type Misconduct,
  misconductOf,
  wrongKindOf,
} from "./conformance.ts";
export {
  checkReport,
  failure,
  isMembers,
  malformed,
  readCheck,
  readInfo,
  readMap,
} from "./answers.ts";
export {
  compareCheck,
  compareDigest,
  compareInfo,
  compareJson,
  compareMap,
  type CompareOptions,
  compareOutcomes,
  type Difference,
  mergeMap,
} from "./compare.ts";
export {
  type Comparable,
  comparable,
  INFO_NEVER_COMPARED,
  isOlder,
  olderVersion,
} from "./versions.ts";
export {
  runTool,
  TOOL_STDOUT_LIMIT,
  TOOL_TIMEOUT_MS,
  type ToolEnd,
  ToolError,
  type ToolOptions,
  type ToolResult,
  type ToolTrouble,
} from "./tool/process.ts";
export {
  type ProbeOptions,
  probeTool,
  type ToolName,
  type ToolState,
  toolVersion,
} from "./tool/state.ts";
export { digestFile } from "./tool/digest.ts";
export {
  makeScratch,
  type Scratch,
  ScratchError,
  withScratch,
  writeScratchFile,
} from "./tool/scratch.ts";
export { scrubbed, withPassphraseFiles } from "./tool/secrets.ts";
export type { CallOptions } from "./tool/tool.ts";
export { type CryptsetupOptions, CryptsetupPeer } from "./cryptsetup/peer.ts";
export { ifInstalled } from "./installed.ts";
export { CHANGE_OPERATIONS, changeRequest } from "./adapter/change.ts";
export { type AdapterOptions, AdapterPeer } from "./adapter/peer.ts";
export {
  type AdapterOperation,
  type AdapterRequest,
  HELLO,
  PROTOCOL,
  requestFor,
} from "./adapter/request.ts";
export {
  LISTED_OPERATIONS,
  problemsOfAnswer,
  problemsOfEnvelope,
  problemsOfRequest,
  protocolSchema,
} from "./adapter/schemas.ts";
export {
  type Session,
  type SessionOptions,
  SessionPeer,
  type SessionReply,
} from "./adapter/session.ts";
export { type ExecOptions, ExecPeer } from "./exec/peer.ts";
export { type JsonlOptions, JsonlPeer } from "./jsonl/peer.ts";
export { LineProcess, type LineReply } from "./jsonl/process.ts";
export { type ModuleOptions, ModulePeer } from "./module/peer.ts";
export { LuksdePeer } from "./luksde/peer.ts";
export { type HolesEstimated, learnHoles } from "./qemu_img/holes.ts";
export { DIGEST_LIMIT, type QemuImgOptions, QemuImgPeer } from "./qemu_img/peer.ts";
export type { Content, Examination, Reading } from "./qemu_io/reading.ts";
export { type QemuIoOptions, QemuIoSession, SESSION_LIMIT } from "./qemu_io/session.ts";
export type { AllocationRun } from "./qemu_io/text.ts";
export { type Changed, QemuWriter } from "./qemu_io/writer.ts";
export { openSubject } from "./reference/open.ts";
export { checkOutcome, ReferencePeer } from "./reference/peer.ts";
export { ReferencePool } from "./reference/pool.ts";
export { type OutcomeCounts, TallyPeer } from "./tally.ts";
export { compareVolume, volumeOf, VolumePeer } from "./volume.ts";
export { fewAtOnce } from "./at_once.ts";
