import { FileSource } from "../src/bytes/mod.ts";
import type { Json } from "../src/format/mod.ts";
import { decodeLuks, unlock } from "../src/luks/mod.ts";
import {
  compareJson,
  compareVolume,
  type CryptsetupAnswers,
  type CryptsetupPeer,
  type Difference,
  type GoldenFailure,
  type GoldenRecord,
  type GoldenReport,
  readInfo,
  readRecord,
  type Subject,
  subjectOf,
  unpackGolden,
  volumeOf,
  withScratch,
} from "../src/peers/mod.ts";
import { cryptsetupAnswers } from "./golden_build.ts";

/** Who was held against what cryptsetup has said, and what came of it. */
export interface VolumeReport {
  readonly who: string;
  readonly report: GoldenReport;
}

/** What one side says of a volume, compared with what is recorded. */
type Comparison = (
  recorded: CryptsetupAnswers,
  image: { record: GoldenRecord; subject: Subject },
) => Difference[] | Promise<Difference[]>;

/**
 * Holds against what is recorded of cryptsetup: what is recorded of qemu-img, the key slots that the
 * reference finds, and the installed cryptsetup.
 */
export async function verifyVolumes(
  names: readonly string[],
  options: { images: string; cryptsetup: CryptsetupPeer | undefined },
): Promise<VolumeReport[]> {
  const { images, cryptsetup } = options;
  const sides: [string, Comparison][] = [
    ["qemu-img and cryptsetup as recorded", ofQemuImg],
    ["key slots by the reference", ofReference],
  ];
  if (cryptsetup !== undefined) {
    const { version } = await cryptsetup.describe();
    sides.push([`cryptsetup ${version}`, (recorded, { subject }) => {
      return ofCryptsetup(cryptsetup, { recorded, subject });
    }]);
  }
  const records = names.map((name) => readRecord(images, name))
    .filter(({ volume }) => volume !== undefined);
  const reports = sides.map(([who]) => ({ who, failures: [] as GoldenFailure[], questions: 0 }));
  for (const record of records) {
    await withScratch(async (directory) => {
      unpackGolden(images, record, directory);
      const image = { record, subject: subjectOf(record, directory) };
      for (const [version, recorded] of Object.entries(record.volume ?? {})) {
        for (const [index, [, compare]] of sides.entries()) {
          const differences = await compare(recorded, image);
          const report = reports[index];
          if (report === undefined) continue;
          report.questions++;
          if (differences.length === 0) continue;
          const recordedBy = [`cryptsetup ${version}`];
          report.failures.push({ image: record.name, question: "volume", recordedBy, differences });
        }
      }
    });
  }
  return reports.map(({ who, failures, questions }) => {
    return { who, report: { images: records.length, questions, unsupported: 0, failures } };
  });
}

function ofQemuImg(
  recorded: CryptsetupAnswers,
  { record }: { record: GoldenRecord },
): Difference[] {
  return Object.values(record.answers).flatMap(({ info }) => {
    const stdout = JSON.stringify(info.json ?? null);
    const end = { kind: "exited" as const, code: info.exitCode };
    const told = readInfo({ end, stdout, stderr: info.message ?? "" });
    const volume = told.outcome === "accepted" ? volumeOf(told.value) : undefined;
    return volume === undefined ? [] : compareVolume(recorded.info, volume);
  });
}

function ofReference(
  recorded: CryptsetupAnswers,
  { subject }: { subject: Subject },
): Difference[] {
  const { path, header, directory } = subject;
  const keyMaterial = new FileSource(`${directory}/${header ?? path}`);
  try {
    const decoded = decodeLuks(keyMaterial);
    const unlocks = recorded.unlocks.map(({ passphrase }) => {
      const bytes = new TextEncoder().encode(passphrase);
      const unlocked = unlock(decoded, { keyMaterial, passphrase: bytes });
      return { passphrase, slot: "masterKey" in unlocked ? unlocked.slot : "none" };
    });
    return compareJson(recorded.unlocks as Json, unlocks as Json);
  } finally {
    keyMaterial.close();
  }
}

async function ofCryptsetup(
  cryptsetup: CryptsetupPeer,
  { recorded, subject }: { recorded: CryptsetupAnswers; subject: Subject },
): Promise<Difference[]> {
  const passphrases = recorded.unlocks.map(({ passphrase }) => passphrase);
  const now = await cryptsetupAnswers(cryptsetup, { subject, passphrases });
  return compareJson({ ...recorded } as Json, { ...now } as Json);
}
