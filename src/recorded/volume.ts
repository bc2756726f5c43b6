import {
  compareJson,
  type Difference,
  type Outcome,
  type Peer,
  PeerError,
  type Subject,
  type UnlockReport,
  volumeOf,
  type VolumeReport,
} from "../peers/mod.ts";
import type { CryptsetupAnswers, NoAnswer, UnlockAnswer } from "./record.ts";
import { hasFailed, hasSpoken } from "./known.ts";
import { recordedOutcome, unanswered, unansweredOutcome } from "./peer.ts";

/** A tool that is asked for what is recorded. */
interface Asked {
  info(subject: Subject): Promise<Outcome<VolumeReport>>;
  unlock(subject: Subject): Promise<Outcome<UnlockReport>>;
}

/**
 * Asks cryptsetup about a volume, and for the key slot of each passphrase. A passphrase that it cannot
 * try here, because the kernel would have to help, is left out.
 *
 * @throws {PeerError} when it has no answer about the volume
 */
export async function recordVolume(
  tool: Asked,
  { subject, passphrases }: { subject: Subject; passphrases: readonly string[] },
): Promise<CryptsetupAnswers> {
  const { passphrases: _, ...keyless } = subject;
  const info = recordedOutcome(await tool.info(keyless), "a volume");
  const unlocks: UnlockAnswer[] = [];
  for (const passphrase of passphrases) {
    const outcome = await tool.unlock({ ...subject, passphrases: [passphrase] });
    if (outcome.outcome === "unsupported") continue;
    unlocks.push({ passphrase, ...recordedUnlock(outcome) });
  }
  return { info, unlocks };
}

function recordedUnlock(outcome: Outcome<UnlockReport>): Omit<UnlockAnswer, "passphrase"> {
  if (hasSpoken(outcome)) {
    if (outcome.outcome === "rejected") return { slot: "none" };
    const { slot } = outcome.value;
    if (slot !== undefined) return { slot };
    throw new PeerError("Cannot record a volume: the key slot that opens is not named");
  }
  return hasFailed(outcome) ? unanswered(outcome) : {};
}

/** What was recorded of luksDump. */
export function infoRecorded({ info }: CryptsetupAnswers): Outcome<VolumeReport> {
  if ("rejected" in info) return { outcome: "rejected", message: String(info["rejected"]) };
  if ("crashed" in info || "hung" in info) return unansweredOutcome(info as NoAnswer);
  return { outcome: "accepted", value: info };
}

/** What was recorded of a passphrase; unsupported where nothing was. */
export function unlockRecorded(
  { unlocks }: CryptsetupAnswers,
  passphrase: string,
): { readonly outcome: Outcome<UnlockReport>; readonly fault?: string } {
  const answer = unlocks.find((it) => it.passphrase === passphrase);
  const { slot, crashed, hung, message, fault } = answer ?? {};
  const noted = fault === undefined ? {} : { fault };
  if (slot === "none") {
    return { outcome: { outcome: "rejected", message: "It opens no key slot" }, ...noted };
  }
  if (slot !== undefined) return { outcome: { outcome: "accepted", value: { slot } }, ...noted };
  if (crashed !== undefined) {
    return {
      outcome: unansweredOutcome({ crashed, ...(message === undefined ? {} : { message }) }),
    };
  }
  if (hung !== undefined) return { outcome: unansweredOutcome({ hung }) };
  return { outcome: { outcome: "unsupported", message: "Nothing is recorded" } };
}

/** What a peer tells of a volume: in its answer to `info`, unless it tells of volumes alone. */
export async function askVolume(peer: Peer, subject: Subject): Promise<Outcome<VolumeReport>> {
  if (peer.volume !== undefined) return await peer.volume(subject);
  const info = await peer.info(subject);
  if (info.outcome !== "accepted") return info;
  return { outcome: "accepted", value: volumeOf(info.value) ?? {} };
}

/** Compares the key slots, where both sides name them. */
export function compareSlot(left: UnlockReport, right: UnlockReport): Difference[] {
  if (left.slot === undefined || right.slot === undefined) return [];
  return compareJson({ slot: left.slot }, { slot: right.slot });
}
