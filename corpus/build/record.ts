import { writeDensely } from "../../fuzz/compare/mod.ts";
import { recordedBefore, withAnswers } from "../../golden/build/recording.ts";
import { formatNamed } from "../../src/formats.ts";
import {
  type CryptsetupPeer,
  type LuksdePeer,
  PeerError,
  type QemuImgPeer,
  ScratchError,
  ToolError,
  withScratch,
} from "../../src/peers/mod.ts";
import {
  describeFile,
  type ImageRecord,
  removeRecord,
  storeRecord,
  unpackRecord,
  withExpectations,
  writeRecord,
} from "../../src/recorded/mod.ts";
import { withCrashes } from "./crashes.ts";
import { aboutOf, type CorpusImage } from "./corpus_image.ts";
import { withReference } from "./reference.ts";
import { withVolume } from "./volume.ts";

/** The tools whose answers are recorded; `undefined` for those that are not installed. */
export interface Tools {
  readonly peers: readonly QemuImgPeer[];
  readonly cryptsetup: CryptsetupPeer | undefined;
  readonly luksde: LuksdePeer | undefined;
}

/** The name of the image among its files. */
const IMAGE = "image";

/** The tool that recording an image requires, if it is not installed. */
export function missingFor(
  { format, crashes }: CorpusImage,
  { cryptsetup, luksde }: Tools,
): string | undefined {
  if (isOfCryptsetup(format) && cryptsetup === undefined) return "cryptsetup";
  return crashes !== undefined && luksde === undefined ? "luksdeinfo" : undefined;
}

/** Whether the answers of cryptsetup about an image are recorded instead of those of qemu-img. */
function isOfCryptsetup(format: string | undefined): boolean {
  return formatNamed(format ?? "raw")?.verdict.tool === "cryptsetup";
}

/**
 * Records an image of the corpus and replaces its earlier record. If its bytes have not changed,
 * the answers of other versions and the notes about the image are kept.
 *
 * @returns why nothing is recorded, if a tool has no proper answer about this image
 * @throws {ToolError} when a tool does not work
 */
export async function recordImage(
  image: CorpusImage,
  images: string,
  tools: Tools,
): Promise<string | undefined> {
  const unanswered = await withScratch((directory) => {
    const record = writtenOut(image, directory);
    const before = recordedBefore(images, record);
    const kept = before === undefined ? record : {
      ...record,
      ...before.changes === undefined ? {} : { changes: before.changes },
      ...before.witnesses === undefined ? {} : { witnesses: before.witnesses },
      answers: before.answers,
    };
    storeRecord(images, kept, directory);
    return Promise.resolve(kept);
  });
  try {
    const record = await answered(unanswered, { images, tools });
    const whole = await withCrashes(record, { images, commands: image.crashes ?? [] });
    writeRecord(
      images,
      await withExpectations(whole, (directory) => unpackRecord(images, whole, directory)),
    );
    return undefined;
  } catch (error) {
    const isOfImage = error instanceof PeerError && !(error instanceof ToolError) &&
      !(error instanceof ScratchError);
    if (!isOfImage) throw error;
    removeRecord(images, image.name);
    return error.message;
  }
}

/** Writes the files of an image into a directory, and describes them. */
function writtenOut(image: CorpusImage, directory: string): ImageRecord {
  const { name, features, changes } = image;
  const { image: subject, files, format, passphrases, header } = image.build();
  const all = { [IMAGE]: subject, ...files };
  for (const [file, source] of Object.entries(all)) writeDensely(`${directory}/${file}`, source);
  return described(image, {
    name,
    features,
    builder: "diskproof",
    commands: [],
    changes,
    subject: IMAGE,
    ...(format === undefined ? {} : { format }),
    ...(passphrases.length === 0 ? {} : { passphrases }),
    ...(header === undefined ? {} : { header }),
    files: Object.keys(all).map((file) => describeFile(directory, file)),
    answers: {},
  });
}

/** A record with what its case says about the image. */
export function described(of: CorpusImage, record: ImageRecord): ImageRecord {
  const { name, shows: _, aliases: _1, flags: _2, happened: _3, ...rest } = record;
  return { name, shows: of.shows, ...aboutOf(of), ...rest };
}

/** The record with the answers of the tools. */
async function answered(
  record: ImageRecord,
  { images, tools: { peers, cryptsetup } }: { images: string; tools: Tools },
): Promise<ImageRecord> {
  if (isOfCryptsetup(record.format) && cryptsetup !== undefined) {
    return await withVolume(record, { images, cryptsetup });
  }
  const answers = await withAnswers({ images, record }, { peers });
  if (Object.keys(answers).length === 0) throw new PeerError("no qemu-img here knows its format");
  return await withReference({ ...record, answers }, { images });
}
