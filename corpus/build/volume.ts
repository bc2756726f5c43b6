import { luks2Divergences } from "../../fuzz/formats/mod.ts";
import {
  type CryptsetupPeer,
  type Outcome,
  PeerError,
  ReferencePeer,
  type Subject,
  type UnlockReport,
  withScratch,
} from "../../src/peers/mod.ts";
import {
  type CryptsetupAnswers,
  hasSpoken,
  type ImageRecord,
  infoRecorded,
  recordVolume,
  subjectOf,
  type UnlockAnswer,
  unlockName,
  unlockRecorded,
  unpackRecord,
} from "../../src/recorded/mod.ts";
import { refusalOf, withReference } from "./reference.ts";

/** A passphrase that opens no key slot of the corpus. */
const WRONG = "third";
/** Passphrases for attempts on all volumes. */
const PASSPHRASES: readonly string[] = ["first", "second", WRONG];
/** cryptsetup's message when it needs the kernel to decrypt key material. */
const NO_CIPHER = /Cannot use \S+ cipher for keyslot encryption/;

/**
 * Records the answers of cryptsetup about a volume of LUKS version 2, and the verdict of the
 * reference on questions that cryptsetup cannot answer or answers wrongly, such as the digest of
 * the content.
 *
 * @throws {PeerError} when the two differ in an unknown way
 */
export async function withVolume(
  record: ImageRecord,
  { images, cryptsetup }: { images: string; cryptsetup: CryptsetupPeer },
): Promise<ImageRecord> {
  const { version } = await cryptsetup.describe();
  const answers = await withScratch(async (directory) => {
    unpackRecord(images, record, directory);
    return await answersOf(cryptsetup, subjectOf(record, directory));
  });
  const queries = infoRecorded(answers).outcome === "accepted"
    ? ["digest", ...passphrasesOf(record).map(unlockName)]
    : [];
  // A wrong passphrase must not open a volume, even one that cryptsetup opens with any.
  const faulty = answers.unlocks.some(({ fault }) => fault !== undefined);
  const isStrict = (question: string) => faulty || question === unlockName(WRONG);
  const volume = { [version]: answers };
  return await withReference({ ...record, volume }, { images, queries, isStrict });
}

/** The passphrases for attempts on a volume. */
function passphrasesOf({ passphrases = [] }: Pick<Subject, "passphrases">): string[] {
  return [...new Set([...passphrases, ...PASSPHRASES])];
}

async function answersOf(
  cryptsetup: CryptsetupPeer,
  subject: Subject,
): Promise<CryptsetupAnswers> {
  const { passphrases: _, ...keyless } = subject;
  const { outcome } = await cryptsetup.volume(keyless);
  const ours = await new ReferencePeer().info(keyless);
  if (outcome !== ours.outcome) {
    throw new PeerError(`cryptsetup has ${outcome} it, and the reference has ${ours.outcome} it`);
  }
  const passphrases = outcome === "accepted" ? passphrasesOf(subject) : [];
  const said = new Map<string, string>();
  const unlock = async (asked: Subject): Promise<Outcome<UnlockReport>> => {
    const theirs = await cryptsetup.unlock(asked);
    if (theirs.outcome === "accepted") return theirs;
    const { message } = theirs;
    said.set(asked.passphrases?.[0] ?? "", message);
    return NO_CIPHER.test(message) ? { outcome: "unsupported", message } : theirs;
  };
  const volume = (asked: Subject) => cryptsetup.volume(asked);
  const answers = await recordVolume({ volume, unlock }, { subject, passphrases });
  const { version } = await cryptsetup.describe();
  const judged: UnlockAnswer[] = [];
  for (const answer of answers.unlocks) {
    const { passphrase } = answer;
    const fault = await faultIn({ ...answers, unlocks: [answer] }, {
      subject: { ...subject, passphrases: [passphrase] },
      version,
      said: said.get(passphrase),
    });
    judged.push(fault === undefined ? answer : { ...answer, fault });
  }
  return { ...answers, unlocks: judged };
}

/**
 * Why a recorded answer about a passphrase is wrong; `undefined` if the reference says the same.
 */
async function faultIn(
  answers: CryptsetupAnswers,
  { subject, version, said }: { subject: Subject; version: string; said: string | undefined },
): Promise<string | undefined> {
  const [passphrase = ""] = subject.passphrases ?? [];
  const { outcome: theirs } = unlockRecorded(answers, passphrase);
  const ours = await new ReferencePeer().unlock(subject);
  if (!hasSpoken(theirs) || slotIn(theirs) === slotIn(ours)) return undefined;
  const refusal = refusalOf(unlockName(passphrase), subject);
  const known = luks2Divergences.find((divergence) =>
    divergence.explains({
      tool: "cryptsetup",
      question: "unlock",
      edited: false,
      version,
      outcome: theirs.outcome,
      rules: [],
      ...(said === undefined ? {} : { said }),
      ...(refusal === undefined ? {} : { ours: refusal.rule }),
    })
  );
  if (known !== undefined) return known.because;
  const told = [theirs, ours].map((outcome) => JSON.stringify(outcome)).join(" and the reference ");
  throw new PeerError(`cryptsetup says ${told} of '${passphrase}'`);
}

function slotIn(outcome: Outcome<UnlockReport>): string {
  return outcome.outcome === "accepted" ? `slot ${outcome.value.slot}` : outcome.outcome;
}
