import { MemorySource, utf8 } from "../bytes/mod.ts";
import {
  type Expectation,
  expectationOf,
  type ExpectationQuery,
  expectedUnlock,
  featuresOf,
} from "../expect/mod.ts";
import { type OpenedImage, openFiles } from "../image/mod.ts";
import { openSubject, withScratch } from "../peers/mod.ts";
import { hasSpoken } from "./known.ts";
import { type Question, questionsOf } from "./questions.ts";
import type { ImageRecord, RecordedExpectations } from "./record.ts";
import { filesAsRecorded, type PackedImage, subjectOf } from "./store.ts";

/**
 * The record with what the format expects for each question.
 *
 * @param unpack writes the files of the image into a directory
 */
export async function withExpectations(
  record: ImageRecord,
  unpack: (directory: string) => void,
): Promise<ImageRecord> {
  const { expected: _, ...rest } = record;
  const expected = await withScratch((directory) => {
    unpack(directory);
    return Promise.resolve(expectationsFor(rest, directory));
  });
  return { ...rest, expected };
}

/** What the format expects for each question about a recorded image whose files are unpacked. */
export function expectationsFor(record: ImageRecord, directory: string): RecordedExpectations {
  const subject = subjectOf(record, directory);
  const { passphrases: _, ...keyless } = subject;
  return expectationsIn(record, (isKeyed) => openSubject(isKeyed ? subject : keyless));
}

/** The same for a recorded image that consists of one file, which is not written anywhere. */
export function expectationsInMemory(image: PackedImage): RecordedExpectations {
  const { record } = image;
  const { format, passphrases = [] } = record;
  const files = [...filesAsRecorded(image)];
  const sources = new Map(files.map(([name, bytes]) => [name, new MemorySource(bytes)]));
  return expectationsIn(
    record,
    (isKeyed) => openFiles(sources, format, isKeyed ? { passphrases: passphrases.map(utf8) } : {}),
  );
}

function expectationsIn(
  record: ImageRecord,
  open: (isKeyed: boolean) => OpenedImage,
): RecordedExpectations {
  const image = open(true);
  try {
    const expected = expectationOf(image);
    const answers = questionsOf(record).filter(({ operation }) => operation !== "unlock")
      .map((question) => [question.name, expected(queryOf(question))]);
    return {
      format: image.format,
      features: featuresOf(image),
      answers: Object.fromEntries([...answers, ...unlocks(record, open)]),
    };
  } finally {
    image.close();
  }
}

function queryOf({ operation, scope: { snapshot, range } = {} }: Question): ExpectationQuery {
  if (snapshot !== undefined) return { use: "snapshot", snapshot };
  return { use: operation as ExpectationQuery["use"], ...(range === undefined ? {} : { range }) };
}

function unlocks(
  record: ImageRecord,
  open: (isKeyed: boolean) => OpenedImage,
): [string, Expectation][] {
  const questions = questionsOf(record).filter(({ operation }) => operation === "unlock");
  if (questions.length === 0) return [];
  const image = open(false);
  try {
    return questions.map((question) => [
      question.name,
      expectedUnlock(image, opens(question, record)),
    ]);
  } finally {
    image.close();
  }
}

/** Whether the passphrase of a question opens a key slot: according to a tool, else to the reference. */
function opens({ name, recorded }: Question, { reference }: ImageRecord): boolean {
  const said = recorded.findLast(({ outcome, fault }) => fault === undefined && hasSpoken(outcome));
  return (said?.outcome.outcome ?? reference?.[name]?.verdict) === "accepted";
}
