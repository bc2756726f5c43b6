import { createHash } from "node:crypto";
import { MemorySource, SECTOR, utf8 } from "../../src/bytes/mod.ts";
import type { Json } from "../../src/format/mod.ts";
import { decodeLuks1, Luks1Volume, specOf, unlock } from "../../src/luks1/mod.ts";
import {
  compareJson,
  type CryptsetupPeer,
  type Difference,
  withScratch,
} from "../../src/peers/mod.ts";
import {
  type CryptsetupAnswers,
  type PackedImage,
  subjectOf,
  type VerifyFailure,
  type VerifyReport,
} from "../../src/recorded/mod.ts";
import type { MatrixRecord } from "./matrix_record.ts";
import { cryptsetupAnswers } from "../../golden/build/recording.ts";

/** A volume of the matrix with its record. */
export interface MatrixImage extends PackedImage {
  readonly record: MatrixRecord;
}

/** The implementation whose answers were compared with the records, and the differences. */
export interface UnlockReport {
  readonly who: string;
  readonly report: VerifyReport;
}

/**
 * Compares the reference and, if it is installed, cryptsetup with the records of the volumes that
 * no qemu-img reads: the key slot that each passphrase opens and, for the reference, the content.
 */
export async function verifyUnlocked(
  images: readonly MatrixImage[],
  cryptsetup: CryptsetupPeer | undefined,
): Promise<UnlockReport[]> {
  const ofCryptsetup = images.filter(({ record }) => record.volume !== undefined);
  const reports = [reportOn("key slots and content by the reference", {
    images: images.length,
    failures: images.flatMap((image) => failureOf(image.record, byReference(image))),
  })];
  if (cryptsetup === undefined) return reports;
  const failures: VerifyFailure[] = [];
  for (const image of ofCryptsetup) {
    failures.push(...failureOf(image.record, await byCryptsetup(image, cryptsetup)));
  }
  const { version } = await cryptsetup.describe();
  return [
    ...reports,
    reportOn(`cryptsetup ${version}`, { images: ofCryptsetup.length, failures }),
  ];
}

function reportOn(
  who: string,
  { images, failures }: { images: number; failures: readonly VerifyFailure[] },
): UnlockReport {
  return { who, report: { images, questions: images, unsupported: 0, failures, known: [] } };
}

function failureOf(
  { name, volume }: MatrixRecord,
  differences: readonly Difference[],
): VerifyFailure[] {
  if (differences.length === 0) return [];
  const recordedBy = Object.keys(volume ?? {}).map((version) => `cryptsetup ${version}`);
  return [{ image: name, question: "volume", recordedBy, differences }];
}

/** The reference rejects what QEMU rejects, so its LUKS code is called directly. */
function byReference({ record, files }: MatrixImage): Difference[] {
  const source = new MemorySource(files()[0] ?? new Uint8Array(0));
  const header = decodeLuks1(source);
  const tried = (passphrase: string) =>
    unlock(header, { keyMaterial: source, passphrase: utf8(passphrase) });
  const slots = Object.values(record.volume ?? {}).flatMap(({ unlocks }) => {
    const found = unlocks.map(({ passphrase }) => {
      const unlocked = tried(passphrase);
      return { passphrase, slot: "slot" in unlocked ? unlocked.slot : "none" };
    });
    return compareJson(unlocks as Json, found as Json);
  });
  const unlocked = tried(record.passphrases?.[0] ?? "");
  if (!("masterKey" in unlocked)) return [...slots, { path: "/slot", left: 0, right: "none" }];
  const start = header.payload_offset * SECTOR;
  const payload = source.read(start, source.size - start);
  new Luks1Volume(specOf(header), unlocked.masterKey).decryptSectors(payload, 0n);
  const sha256 = createHash("sha256").update(payload).digest("hex");
  return [...slots, ...compareJson(record.content, { sha256, length: payload.length })];
}

async function byCryptsetup(
  { record, files }: MatrixImage,
  cryptsetup: CryptsetupPeer,
): Promise<Difference[]> {
  return await withScratch(async (directory) => {
    Deno.writeFileSync(`${directory}/${record.subject}`, files()[0] ?? new Uint8Array(0));
    const subject = subjectOf(record, directory);
    const differences: Difference[] = [];
    for (const recorded of Object.values(record.volume ?? {}) as CryptsetupAnswers[]) {
      const passphrases = recorded.unlocks.map(({ passphrase }) => passphrase);
      const now = await cryptsetupAnswers(cryptsetup, { subject, passphrases });
      differences.push(...compareJson({ ...recorded } as Json, { ...now } as Json));
    }
    return differences;
  });
}
