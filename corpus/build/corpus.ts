/**
 * The corpus: for each rule the image that breaks it and the nearest one that keeps it, with what public
 * qemu-img says of both, and of LUKS version 2 what cryptsetup says.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { describeEdit } from "../../fuzz/mutate/mod.ts";
import { writeDensely } from "../../fuzz/targets/files.ts";
import { type ByteSource, MemorySource } from "../../src/bytes/mod.ts";
import {
  CryptsetupPeer,
  ifInstalled,
  LuksdePeer,
  PeerError,
  QemuImgPeer,
  ScratchError,
  ToolError,
  withScratch,
} from "../../src/peers/mod.ts";
import {
  describeFile,
  type ImageRecord,
  recordNames,
  removeRecord,
  storeRecord,
  writeRecord,
} from "../../src/recorded/mod.ts";
import { brokenImage, keptImage, type RowImage } from "../../tests/rules/images.ts";
import type { Change, RuleRow } from "../../tests/rules/row.ts";
import { rows } from "../../tests/rules/rows.ts";
import { luksCases } from "./luks1.ts";
import { luks2Cases } from "./luks2.ts";
import { withReference } from "./reference.ts";
import { toolCases, withCrashes } from "./tools.ts";
import { withVolume } from "./volume.ts";
import { answersOf } from "../../golden/build/build.ts";
import { Numbered } from "./numbered.ts";

const IMAGES = new URL("../images", import.meta.url).pathname;

/** The text of `--help`. */
export const help = `Records the corpus: what breaks and what just keeps each rule.

Usage:
  deno task corpus [--only TEXT] [--answers-by COMMAND]…

Options:
  --only TEXT            cases whose name contains TEXT
  --answers-by COMMAND   record the answers of this qemu-img as well; words are split at blanks
  --help                 this text

Example:
  deno task corpus --only header.cluster-bits
`;

/** Larger files would make the corpus large; their rules have their tests. */
const SIZE_MAX = 2 ** 21 + 2 ** 16;
/** Answers of more lines than a person reads: each snapshot of tens of thousands, say. */
const ANSWER_MAX = 2 ** 14;

/** An image of the corpus. */
export interface Case {
  readonly name: string;
  readonly rule: string;
  readonly breaks: boolean;
  /** What was done to a sound image, in words. */
  readonly changes: readonly string[];
  /** By name; the first one is asked about. */
  readonly files: Readonly<Record<string, ByteSource | Uint8Array>>;
  readonly format?: string;
  readonly passphrases?: readonly string[];
  /** The file with the detached LUKS header. */
  readonly header?: string;
  /** Commands of which other tools may die. */
  readonly crashes?: readonly (readonly string[])[];
}

/** The cases of the rule tables, named by rule and by what they do to it. */
function casesOf(): Case[] {
  const named = new Numbered();
  return rows.flatMap((row) => {
    const name = named.next(row.rule);
    return [
      caseOf(`${name}-breaks`, { row, image: brokenImage(row), breaks: true }),
      caseOf(`${name}-keeps`, { row, image: keptImage(row), breaks: false }),
    ];
  });
}

function caseOf(
  name: string,
  { row, image, breaks }: { row: RuleRow; image: RowImage; breaks: boolean },
): Case {
  return {
    name,
    rule: row.rule,
    breaks,
    changes: (breaks ? row.breaks : row.keeps).map(wordsOf),
    files: { image: image.image, ...image.files },
    ...(image.format === undefined ? {} : { format: image.format }),
  };
}

/** Why a case is not recorded, where its image alone says so. */
function unfitness({ files }: Case): string | undefined {
  const size = Math.max(
    ...Object.values(files).map((file) => file instanceof Uint8Array ? file.length : file.size),
  );
  return size > SIZE_MAX ? `its file is ${size} bytes long` : undefined;
}

function sourceOf(file: ByteSource | Uint8Array): ByteSource {
  return file instanceof Uint8Array ? new MemorySource(file) : file;
}

/** A change in words. */
function wordsOf(change: Change): string {
  switch (change.op) {
    case "end":
    case "cut":
    case "grow":
    case "lengthen":
    case "refcount":
    case "bytes": {
      const { op, ...parts } = change;
      const plain = (_: string, value: unknown) =>
        typeof value === "bigint"
          ? value.toString()
          : value instanceof Uint8Array
          ? [...value]
          : value;
      return `${op} ${JSON.stringify(parts, plain)}`;
    }
    default:
      return describeEdit(change);
  }
}

/** Who is asked. */
interface Tools {
  readonly peers: readonly QemuImgPeer[];
  /** Nothing where it is not installed. */
  readonly cryptsetup: CryptsetupPeer | undefined;
}

/** Records one case; gives back why not, where the tools do not answer as tools should. */
async function record(entry: Case, tools: Tools): Promise<string | undefined> {
  const { name, rule, breaks, changes, files, format, passphrases, header } = entry;
  try {
    const unanswered = await withScratch((directory) => {
      for (const [file, source] of Object.entries(files)) {
        writeDensely(`${directory}/${file}`, sourceOf(source));
      }
      const recorded: ImageRecord = {
        name,
        features: [rule, breaks ? "breaks" : "keeps"],
        builder: "diskproof",
        commands: [],
        changes,
        subject: Object.keys(files)[0] as string,
        ...(format === undefined ? {} : { format }),
        ...(passphrases === undefined ? {} : { passphrases }),
        ...(header === undefined ? {} : { header }),
        files: Object.keys(files).map((file) => describeFile(directory, file)),
        answers: {},
      };
      storeRecord(IMAGES, recorded, directory);
      return Promise.resolve(recorded);
    });
    const record = await answered(unanswered, tools);
    writeRecord(
      IMAGES,
      await withCrashes(record, { images: IMAGES, commands: entry.crashes ?? [] }),
    );
    return undefined;
  } catch (error) {
    const isOfCase = error instanceof PeerError && !(error instanceof ToolError) &&
      !(error instanceof ScratchError);
    if (!isOfCase) throw error;
    removeRecord(IMAGES, name);
    return error.message;
  }
}

/** The record with what the tools say. */
async function answered(
  unanswered: ImageRecord,
  { peers, cryptsetup }: Tools,
): Promise<ImageRecord> {
  const images = IMAGES;
  if (unanswered.format === "luks2" && cryptsetup !== undefined) {
    return await withVolume(unanswered, { images, cryptsetup });
  }
  const answers: Record<string, Awaited<ReturnType<typeof answersOf>>> = {};
  for (const peer of peers) {
    const { version } = await peer.describe();
    // Detached headers came with 9.0.
    if (unanswered.header !== undefined && Number.parseInt(version) < 9) continue;
    answers[version] = await answersOf(peer, { images, record: unanswered, recipe: {} });
  }
  if (JSON.stringify(answers).length > ANSWER_MAX) throw new PeerError("the answers are too long");
  if (Object.keys(answers).length === 0) throw new PeerError("no qemu-img here knows its format");
  return await withReference({ ...unanswered, answers }, { images });
}

/**
 * Runs a command line.
 *
 * @returns the exit status
 */
export async function run(args: readonly string[]): Promise<number> {
  const parsed = parseArgs(args, {
    boolean: ["help"],
    string: ["only", "answers-by"],
    collect: ["answers-by"],
    default: { only: "" },
  });
  if (parsed["help"] === true) return say(help);
  const others = (parsed["answers-by"] as string[] | undefined) ?? [];
  const peers = [
    new QemuImgPeer(),
    ...others.map((command) => new QemuImgPeer({ command: command.split(" ") })),
  ];
  Deno.mkdirSync(IMAGES, { recursive: true });
  const tools = { peers, cryptsetup: await ifInstalled(new CryptsetupPeer()) };
  const luksde = await ifInstalled(new LuksdePeer());
  // A tool that does not work is no reason to remove a case.
  for (const peer of peers) await peer.describe();
  const all = [...casesOf(), ...luksCases(), ...luks2Cases(), ...toolCases()];
  const chosen = all.filter(({ name }) => name.includes(String(parsed["only"])));
  const names = new Set(all.map(({ name }) => name));
  for (const name of recordNames(IMAGES)) if (!names.has(name)) removeRecord(IMAGES, name);
  let count = 0;
  for (const entry of chosen) {
    const missing = entry.format === "luks2" && tools.cryptsetup === undefined
      ? "cryptsetup"
      : entry.crashes !== undefined && luksde === undefined
      ? "luksdeinfo"
      : undefined;
    if (missing !== undefined) {
      say(`${entry.name} stays as it is: ${missing} is not installed\n`);
      continue;
    }
    const because = unfitness(entry) ?? await record(entry, tools);
    if (because === undefined) count++;
    else say(`${entry.name} is left out: ${because}\n`);
  }
  return say(`${count} cases recorded\n`);
}

function say(text: string): number {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
  return 0;
}
