import {
  accepted,
  type DigestReport,
  type FailedOutcome,
  failure,
  hasFailed,
  type Outcome,
  PeerError,
  rejected,
  type Subject,
  type ToolEnd,
  type ToolResult,
  type UnlockReport,
  unsupported,
  type VolumeReport,
} from "../peers/mod.ts";
import { hasSpoken } from "./known.ts";
import type {
  CryptsetupAnswers,
  DigestAnswer,
  NoAnswer,
  ToolAnswer,
  UnlockAnswer,
} from "./record.ts";

/** Answers as a record has them, made of outcomes and read as such. */

const SECOND = 1000;
/** A tool may print a line about each of a thousand clusters. */
const MESSAGE_MAX = 2000;

/**
 * What a tool printed and how it ended, for a record.
 *
 * @throws {PeerError} when it printed more than the limit
 */
export function recordedTool({ end, stdout, stderr }: ToolResult): ToolAnswer {
  const message = stderr.trim().slice(0, MESSAGE_MAX);
  switch (end.kind) {
    case "flooded":
      throw new PeerError(`Cannot record an answer: it is longer than ${end.limit} bytes`);
    case "timed-out":
      return { hung: end.timeoutMs / SECOND };
    case "crashed":
      return { crashed: end.signal, ...(message === "" ? {} : { message }) };
    case "exited":
      break;
  }
  const said = end.code === 0 ? {} : { message };
  try {
    return { exitCode: end.code, json: JSON.parse(stdout), ...said };
  } catch {
    // A map that fails half-way leaves half of its text; a rejected image leaves none.
    return { exitCode: end.code, ...said };
  }
}

/** A recorded answer as if the tool had just printed it. */
export function toolResult(answer: ToolAnswer): ToolResult {
  if (!("exitCode" in answer)) return unansweredResult(answer);
  return {
    end: { kind: "exited", code: answer.exitCode },
    stdout: answer.json === undefined ? "" : JSON.stringify(answer.json),
    stderr: answer.message ?? "",
  };
}

function unansweredResult(answer: NoAnswer): ToolResult {
  const end: ToolEnd = "crashed" in answer
    ? { kind: "crashed", signal: answer.crashed }
    : { kind: "timed-out", timeoutMs: answer.hung * SECOND };
  return { end, stdout: "", stderr: "message" in answer ? answer.message ?? "" : "" };
}

/**
 * The result of a conversion, for a record.
 *
 * @throws {PeerError} when the peer has no answer
 */
export function recordedDigest(outcome: Outcome<DigestReport>): DigestAnswer {
  return recordedOutcome(outcome, "a digest");
}

/** A recorded digest; unsupported where nothing was recorded. */
export function digestRecorded(answer: DigestAnswer | undefined): Outcome<DigestReport> {
  if (answer === undefined) return unsupported("No digest is recorded");
  if ("rejected" in answer) return rejected(answer.rejected);
  return "sha256" in answer ? accepted(answer) : unansweredOutcome(answer);
}

/**
 * An answer for a record, or why there is none.
 *
 * @param what the answer is about: `a digest`
 * @throws {PeerError} when the peer does not answer such questions, or not in their shape
 */
function recordedOutcome<T>(
  outcome: Outcome<T>,
  what: string,
): T | { readonly rejected: string } | NoAnswer {
  if (outcome.outcome === "accepted") return outcome.value;
  if (outcome.outcome === "rejected") return { rejected: outcome.message };
  if (hasFailed(outcome)) return unanswered(outcome);
  throw new PeerError(`Cannot record ${what}: ${outcome.message}`);
}

/**
 * A crash or a time-out, for a record.
 *
 * @throws {PeerError} for a malformed answer
 */
export function unanswered({ outcome, message }: FailedOutcome): NoAnswer {
  if (outcome === "malformed-answer") throw new PeerError(`Cannot record an answer: ${message}`);
  if (outcome === "timed-out") return { hung: Number(/(\d+) ms/.exec(message)?.[1] ?? 0) / SECOND };
  const [, crashed = "", said = ""] = /^(\w+): ?(.*)$/s.exec(message) ?? [];
  return { crashed, ...(said === "" ? {} : { message: said.slice(0, MESSAGE_MAX) }) };
}

/** A recorded crash or hang. */
export function unansweredOutcome(answer: NoAnswer): Outcome<never> {
  return failure(unansweredResult(answer));
}

/** A tool whose answers about volumes are recorded. */
interface VolumeTool {
  volume(subject: Subject): Promise<Outcome<VolumeReport>>;
  unlock(subject: Subject): Promise<Outcome<UnlockReport>>;
}

/**
 * Queries cryptsetup for a volume, and for the key slot of each passphrase. A passphrase that it cannot
 * try here, because it would need the kernel, is left out.
 *
 * @throws {PeerError} when it has no answer about the volume
 */
export async function recordVolume(
  tool: VolumeTool,
  { subject, passphrases }: { subject: Subject; passphrases: readonly string[] },
): Promise<CryptsetupAnswers> {
  const { passphrases: _, ...keyless } = subject;
  const info = recordedOutcome(await tool.volume(keyless), "a volume");
  const unlocks: UnlockAnswer[] = [];
  for (const passphrase of passphrases) {
    const outcome = await tool.unlock({ ...subject, passphrases: [passphrase] });
    if (outcome.outcome === "unsupported") continue;
    unlocks.push({ passphrase, ...recordedUnlock(outcome) });
  }
  return { info, unlocks };
}

function recordedUnlock(outcome: Outcome<UnlockReport>): Omit<UnlockAnswer, "passphrase"> {
  if (hasFailed(outcome)) return unanswered(outcome);
  if (!hasSpoken(outcome)) return {};
  if (outcome.outcome === "rejected") return { slot: "none" };
  const { slot } = outcome.value;
  if (slot !== undefined) return { slot };
  throw new PeerError("Cannot record a volume: the record does not name the key slot");
}

/** What was recorded of luksDump. */
export function infoRecorded({ info }: CryptsetupAnswers): Outcome<VolumeReport> {
  if ("rejected" in info) return rejected(String(info["rejected"]));
  if ("crashed" in info || "hung" in info) return unansweredOutcome(info as NoAnswer);
  return accepted(info);
}

/** What was recorded of a passphrase; unsupported where nothing was. */
export function unlockRecorded(
  { unlocks }: CryptsetupAnswers,
  passphrase: string,
): { readonly outcome: Outcome<UnlockReport>; readonly fault?: string } {
  const answer = unlocks.find((it) => it.passphrase === passphrase);
  const { slot, crashed, hung, message, fault } = answer ?? {};
  const noted = fault === undefined ? {} : { fault };
  if (slot === "none") return { outcome: rejected("No key slot opens"), ...noted };
  if (slot !== undefined) return { outcome: accepted({ slot }), ...noted };
  if (crashed !== undefined) {
    const said = message === undefined ? {} : { message };
    return { outcome: unansweredOutcome({ crashed, ...said }) };
  }
  if (hung !== undefined) return { outcome: unansweredOutcome({ hung }) };
  return { outcome: unsupported("Nothing is recorded") };
}
