import {
  compareVolume,
  type CryptsetupPeer,
  type Difference,
  volumeOf,
} from "../../src/peers/mod.ts";
import {
  type CryptsetupAnswers,
  type ImageRecord,
  infoRecorded,
  readRecord,
  recordedAnswer,
  type VerifyFailure,
  verifyRecords,
  type VerifyReport,
} from "../../src/recorded/mod.ts";

/** The implementation whose answers were compared with those of cryptsetup, and the differences. */
export interface VolumeReport {
  readonly who: string;
  readonly report: VerifyReport;
}

/**
 * Compares the recorded answers of cryptsetup with those of qemu-img, and with the installed cryptsetup.
 * The key slots that the reference finds are compared with all its other answers.
 */
export async function verifyVolumes(
  names: readonly string[],
  options: { images: string; cryptsetup: CryptsetupPeer | undefined },
): Promise<VolumeReport[]> {
  const { images, cryptsetup } = options;
  const who = "qemu-img and cryptsetup as recorded";
  const reports = [{ who, report: recordedOfBoth(names, images) }];
  if (cryptsetup === undefined) return reports;
  const { version } = await cryptsetup.describe();
  const report = await verifyRecords(cryptsetup, { images, names });
  return [...reports, { who: `cryptsetup ${version}`, report }];
}

function recordedOfBoth(names: readonly string[], images: string): VerifyReport {
  const failures: VerifyFailure[] = [];
  const records = names.map((name) => readRecord(images, name))
    .filter(({ volume }) => volume !== undefined);
  let questions = 0;
  for (const record of records) {
    for (const [version, recorded] of Object.entries(record.volume ?? {})) {
      questions++;
      const differences = differencesOf(recorded, record);
      if (differences.length === 0) continue;
      const recordedBy = [`cryptsetup ${version}`];
      failures.push({ image: record.name, question: "volume", recordedBy, differences });
    }
  }
  return { images: records.length, questions, unsupported: 0, failures, known: [] };
}

function differencesOf(
  recorded: CryptsetupAnswers,
  { answers }: ImageRecord,
): Difference[] {
  const differences: Difference[] = [];
  const theirs = infoRecorded(recorded);
  for (const answer of Object.values(answers)) {
    const told = recordedAnswer(answer, "info");
    const volume = told.outcome === "accepted" ? volumeOf(told.value) : undefined;
    if (volume === undefined || theirs.outcome !== "accepted") continue;
    differences.push(...compareVolume(theirs.value, volume));
  }
  return differences;
}
