/**
 * Implementations under test: qemu-img, cryptsetup, an adapter program, and diskproof itself as the
 * reference. Each answers the same questions in qemu-img's shapes.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ReferencePeer } from "@diskproof/diskproof/peers";
 *
 * const peer = new ReferencePeer();
 * const answer = await peer.info({ path: "LICENSE", format: "raw" });
 * assertEquals(answer.outcome, "accepted");
 * ```
 *
 * @module
 */

export {
  type AdapterOperation,
  type AdapterOptions,
  AdapterPeer,
  type AdapterRequest,
  type AllocationRun,
  type Answers,
  type CallOptions,
  type ChainImage,
  type Change,
  type ChangeOperation,
  type CheckReport,
  type Content,
  type CryptsetupOptions,
  CryptsetupPeer,
  type DigestReport,
  type DigestScope,
  type Examination,
  type ExecOptions,
  ExecPeer,
  type FailedOutcome,
  ForwardingPeer,
  type JsonlOptions,
  JsonlPeer,
  LuksdePeer,
  type ModuleOptions,
  ModulePeer,
  type Operation,
  type Outcome,
  type Overlapped,
  type Peer,
  type PeerDescription,
  PeerError,
  type QemuImgOptions,
  QemuImgPeer,
  type QemuIoOptions,
  QemuIoSession,
  type Reading,
  ReferencePeer,
  type Session,
  type SessionOptions,
  SessionPeer,
  type SessionReply,
  type Subject,
  type Taken,
  type ToolEnd,
  type ToolName,
  type ToolResult,
  type UnlockReport,
  VolumePeer,
  type VolumeReport,
} from "../src/peers/mod.ts";
