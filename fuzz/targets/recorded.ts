import * as fc from "fast-check";
import { MemorySource, utf8 } from "../../src/bytes/mod.ts";
import { judgeImage, openFiles } from "../../src/image/mod.ts";
import { type Difference, openSubject, ReferencePeer, withScratch } from "../../src/peers/mod.ts";
import {
  ADDED,
  readRecord,
  readRecordFiles,
  recordNames,
  subjectOf,
  unpackRecord,
  verifyRecords,
} from "../../src/recorded/mod.ts";
import { excerptOf } from "../../src/report/mod.ts";
import type { Finding } from "../../src/rules/mod.ts";
import { anyIndex, wordsOf } from "../compare/mod.ts";
import { assertCipher, recordedCiphers, sectorFile } from "./ciphers.ts";
import {
  type CaseFile,
  Failure,
  HarnessError,
  type NamedAnswer,
  type Target,
} from "../engine/mod.ts";

/** A case of `golden`: a golden image, a case of the corpus, or a cipher, by its name. */
export interface RecordedCase {
  readonly name: string;
}

const SETS = ["golden", "corpus"].map((set) => {
  return new URL(`../../${set}/images`, import.meta.url).pathname;
});

let found: ReadonlyMap<string, string> | undefined;

/**
 * The directory that an image is recorded in, by its name.
 *
 * @throws {HarnessError} if one of the sets is missing
 */
function directories(): ReadonlyMap<string, string> {
  return found ??= new Map(SETS.flatMap((images) => {
    const names = namesIn(images);
    if (names.length === 0) {
      throw new HarnessError(`Cannot find recorded images: ${images} is empty`);
    }
    return names.map((name) => [name, images] as const);
  }));
}

function namesIn(images: string): string[] {
  try {
    return recordNames(images);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new HarnessError(`Cannot find recorded images: ${reason}`, { cause });
  }
}

/** The images that were added to the corpus; none if the sets cannot be read. */
export function addedImages(): string[] {
  try {
    return [...directories().keys()].filter((name) => name.startsWith(ADDED));
  } catch {
    return [];
  }
}

function directoryOf({ name }: RecordedCase): string {
  const images = directories().get(name);
  if (images === undefined) throw new TypeError(`Cannot find a recorded image ${name}`);
  return images;
}

/** The names of all cases. */
function names(): string[] {
  const images = directories();
  return [...recordedCiphers().keys(), ...images.keys()];
}

/**
 * The property: the reference agrees with the recorded answers of the tools, and its judge finds the rule
 * that an image of the corpus was made to break. It encrypts sectors as the recorded libraries do.
 */
export const recorded: Target<RecordedCase> = {
  name: "golden",
  says: "the reference agrees with recorded answers of qemu-img; no qemu-img needed",
  // All of them within the default minute of two workers.
  weight: 25,
  cases: () => fc.constantFrom(...names()).map((name) => ({ name })),
  listed: () => names().map((name) => ({ name })),
  toJson: ({ name }) => ({ name }),
  fromJson: (json) => {
    const { name } = json as unknown as RecordedCase;
    if (typeof name !== "string") throw new TypeError("Cannot read the case: it has no name");
    return { name };
  },
  files: filesOf,
  describe: (value) => {
    if (recordedCiphers().has(value.name)) return `recorded sectors of ${value.name}`;
    const { shows, features } = readRecord(directoryOf(value), value.name);
    const of = features.join(", ");
    return `recorded image ${value.name} (${of})${shows === undefined ? "" : `: ${shows}`}`;
  },
  excerpt: (value) => {
    if (recordedCiphers().has(value.name)) return "";
    const [image] = filesOf(value);
    return image === undefined ? "" : excerptOf(image.source, []);
  },
  passphrases: (value) =>
    recordedCiphers().has(value.name)
      ? []
      : readRecord(directoryOf(value), value.name).passphrases ?? [],
  async run(value) {
    const cipher = recordedCiphers().get(value.name);
    if (cipher !== undefined) {
      assertCipher(value.name, cipher);
      return { depth: "accepted", rules: [] };
    }
    const images = directoryOf(value);
    const { failures } = await verifyRecords(new ReferencePeer(), { images, names: [value.name] });
    const [failure] = failures;
    if (failure === undefined) return { depth: "accepted", rules: await judgedRules(value) };
    const { question, recordedBy, differences: [differs] } = failure;
    const by = recordedBy.join(", ");
    const path = differs?.path ?? "";
    throw new Failure(
      ["golden", question.split(" ")[0], differenceOf(differs)].join("."),
      `${question} of ${value.name} differs at ${path || "/"}; recorded by ${by}`,
      {
        answers: [
          answer("reference", differs?.right),
          answer(by || "recorded", differs?.left),
        ],
        about: { path },
      },
    );
  },
};

/**
 * The rules that an image of the corpus breaks.
 *
 * @throws {Failure} when the judge does not find the one that it was made to break, or finds the one that
 *   it was made to keep
 */
async function judgedRules(value: RecordedCase): Promise<string[]> {
  const { features: [rule = "", kind] } = readRecord(directoryOf(value), value.name);
  if (kind !== "breaks" && kind !== "keeps") return [];
  const findings = await judged(value);
  const rules = [...new Set(findings.map((finding) => finding.rule as string))];
  const isFound = rules.includes(rule);
  if (isFound === (kind === "breaks")) return rules;
  const wrong = isFound ? "unexpected" : "missing";
  throw new Failure(
    `golden.judge.${rule}.${wrong}`,
    isFound
      ? `judge reports ${rule}, which ${value.name} keeps`
      : `judge does not report ${rule}, which ${value.name} breaks`,
    { about: { path: findings.find((finding) => finding.rule === rule)?.path ?? "/" } },
  );
}

/** From memory, or from a directory where there are files beside the image. */
async function judged(value: RecordedCase): Promise<readonly Finding[]> {
  const images = directoryOf(value);
  const record = readRecord(images, value.name);
  const [file, ...others] = filesOf(value);
  if (file !== undefined && others.length === 0) {
    const options = { passphrases: (record.passphrases ?? []).map(utf8) };
    const files = new Map([[file.name, file.source]]);
    return judgeImage(openFiles(files, record.format, options)).findings;
  }
  return await withScratch((directory) => {
    unpackRecord(images, record, directory);
    const opened = openSubject(subjectOf(record, directory));
    try {
      return Promise.resolve(judgeImage(opened).findings);
    } finally {
      opened.close();
    }
  });
}

/** The image first, then what it refers to. */
function filesOf(value: RecordedCase): CaseFile[] {
  if (recordedCiphers().has(value.name)) return [sectorFile(value.name)];
  const images = directoryOf(value);
  const record = readRecord(images, value.name);
  const bytes = readRecordFiles(images, record);
  const files = record.files.map(({ name }, index): CaseFile => ({
    name,
    source: new MemorySource(bytes[index] ?? new Uint8Array(0)),
  }));
  const isImage = ({ name }: CaseFile): boolean => name === record.subject;
  return files.toSorted((a, b) => Number(isImage(b)) - Number(isImage(a)));
}

/** Identifies the cause: the part of the answer that differs, or both outcomes. */
function differenceOf(differs: Difference | undefined): string {
  if (differs === undefined) return "nothing";
  if (differs.path !== "") return anyIndex(differs.path);
  const { outcome, message } = Object(differs.right) as { outcome?: string; message?: string };
  return [outcome ?? "nothing", ...(message === undefined ? [] : [wordsOf(message)])].join(".");
}

function answer(by: string, value: Difference["left"]): NamedAnswer {
  return { by, text: JSON.stringify(value, null, 1) ?? "nothing" };
}
