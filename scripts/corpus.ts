/**
 * The corpus: for each rule the image that breaks it and the nearest one that keeps it, with what public
 * qemu-img says of both.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { describeEdit } from "../fuzz/mutate/mod.ts";
import { writeDensely } from "../fuzz/targets/files.ts";
import { type ByteSource, MemorySource } from "../src/bytes/mod.ts";
import {
  describeFile,
  goldenNames,
  type GoldenRecord,
  PeerError,
  QemuImgPeer,
  removeGolden,
  storeGolden,
  withScratch,
  writeRecord,
} from "../src/peers/mod.ts";
import { brokenImage, keptImage, type RowImage } from "../tests/rules/images.ts";
import type { Change, RuleRow } from "../tests/rules/row.ts";
import { rows } from "../tests/rules/rows.ts";
import { answersOf } from "./golden_build.ts";

const IMAGES = new URL("../corpus/images", import.meta.url).pathname;

const HELP = `Records the corpus: what breaks and what just keeps each rule.

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
const SIZE_MAX = 2 ** 20;
/** Answers of more lines than a person reads: each snapshot of tens of thousands, say. */
const ANSWER_MAX = 2 ** 14;

interface Case {
  readonly name: string;
  readonly row: RuleRow;
  readonly image: RowImage;
  readonly changes: readonly Change[];
  readonly breaks: boolean;
}

/** The cases of the rule tables, named by rule and by what they do to it. */
function casesOf(): Case[] {
  const seen = new Map<string, number>();
  return rows.flatMap((row) => {
    const count = (seen.get(row.rule) ?? 0) + 1;
    seen.set(row.rule, count);
    const name = count === 1 ? row.rule : `${row.rule}-${count}`;
    return [
      { name: `${name}-breaks`, row, image: brokenImage(row), changes: row.breaks, breaks: true },
      { name: `${name}-keeps`, row, image: keptImage(row), changes: row.keeps, breaks: false },
    ];
  });
}

/** Rules about encryption: the reference does not say of such images all that qemu-img says. */
const ENCRYPTION = /^qcow2\.(crypt|ext\.crypto)/;

/** Why a case is not recorded, where its image alone says so. */
function unfitness({ image, row }: Case): string | undefined {
  if (ENCRYPTION.test(row.rule)) return "it is about encryption";
  const { size } = image.image;
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

/** Records one case; gives back why not, where the tools do not answer as tools should. */
async function record(
  entry: Case,
  peers: readonly QemuImgPeer[],
): Promise<string | undefined> {
  const { name, row, image, changes, breaks } = entry;
  try {
    const unanswered = await withScratch((directory) => {
      const files = { image: image.image, ...image.files };
      for (const [file, source] of Object.entries(files)) {
        writeDensely(`${directory}/${file}`, sourceOf(source));
      }
      const recorded: GoldenRecord = {
        name,
        features: [row.rule, breaks ? "breaks" : "keeps"],
        builder: "diskproof",
        commands: [],
        changes: changes.map(wordsOf),
        subject: "image",
        ...(image.format === undefined ? {} : { format: image.format }),
        files: Object.keys(files).map((file) => describeFile(directory, file)),
        answers: {},
      };
      storeGolden(IMAGES, recorded, directory);
      return Promise.resolve(recorded);
    });
    const answers: Record<string, Awaited<ReturnType<typeof answersOf>>> = {};
    for (const peer of peers) {
      const { version } = await peer.describe();
      answers[version] = await answersOf(peer, { images: IMAGES, record: unanswered, recipe: {} });
    }
    if (JSON.stringify(answers).length > ANSWER_MAX) {
      throw new PeerError("the answers are too long");
    }
    writeRecord(IMAGES, { ...unanswered, answers });
    return undefined;
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    removeGolden(IMAGES, name);
    return error.message;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const parsed = parseArgs(args, {
    boolean: ["help"],
    string: ["only", "answers-by"],
    collect: ["answers-by"],
    default: { only: "" },
  });
  if (parsed["help"] === true) return say(HELP);
  const others = (parsed["answers-by"] as string[] | undefined) ?? [];
  const peers = [
    new QemuImgPeer(),
    ...others.map((command) => new QemuImgPeer({ command: command.split(" ") })),
  ];
  Deno.mkdirSync(IMAGES, { recursive: true });
  const all = casesOf();
  const chosen = all.filter(({ name }) => name.includes(String(parsed["only"])));
  const names = new Set(all.map(({ name }) => name));
  for (const name of goldenNames(IMAGES)) if (!names.has(name)) removeGolden(IMAGES, name);
  let count = 0;
  for (const entry of chosen) {
    const because = unfitness(entry) ?? await record(entry, peers);
    if (because === undefined) count++;
    else say(`${entry.name} is left out: ${because}\n`);
  }
  return say(`${count} cases recorded\n`);
}

function say(text: string): number {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
  return 0;
}

Deno.exit(await main(Deno.args));
