/**
 * Implementations under test, and how their answers are compared.
 *
 * Invariants:
 *
 * - Every implementation stands behind one interface, `Peer`, and answers in qemu-img's shapes. A
 *   field that an implementation does not tell is absent, never filled in.
 * - An outcome is accepted, rejected, unsupported, crashed or timed out. A crash is never a rejection.
 * - Every process has a time limit and a limit on what it prints, sees a fixed environment, no shell
 *   and no standard input of the caller, and is killed with SIGKILL.
 * - A peer answers in one directory: relative names, also those in images, are relative to it.
 * - A passphrase is handed to a tool in a file that only this user can read, stands in no list of
 *   processes, and is taken out of whatever a tool says.
 * - What a comparison leaves out is declared as data, by version.
 *
 * @module
 */

export {
  accepted,
  type CheckReport,
  type DigestReport,
  type DigestScope,
  type FailedOutcome,
  hasFailed,
  type InfoReport,
  type MapEntry,
  type Operation,
  type Outcome,
  type Peer,
  type PeerDescription,
  PeerError,
  rejected,
  type Subject,
  type Taken,
  type UnlockReport,
  unsupported,
} from "./peer.ts";
export { type Answers, ForwardingPeer } from "./forwarding.ts";
export { failure, malformed, readCheck, readInfo, readMap } from "./answers.ts";
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
export { type ExecOptions, ExecPeer } from "./exec/peer.ts";
export { LuksdePeer } from "./luksde/peer.ts";
export { type HolesEstimated, learnHoles } from "./qemu_img/holes.ts";
export { DIGEST_LIMIT, type QemuImgOptions, QemuImgPeer } from "./qemu_img/peer.ts";
export {
  type Content,
  type Examination,
  type QemuIoOptions,
  QemuIoSession,
  type Reading,
  SESSION_LIMIT,
} from "./qemu_io/session.ts";
export type { AllocationRun } from "./qemu_io/text.ts";
export { checkOutcome, ReferencePeer } from "./reference/peer.ts";
export { ReferencePool } from "./reference/pool.ts";
export { type OutcomeCounts, TallyPeer } from "./tally.ts";
export { compareVolume, volumeOf, type VolumeReport } from "./volume.ts";
export { VolumePeer } from "./volume_peer.ts";
export { fewAtOnce } from "./at_once.ts";
