/**
 * The corpus: for each rule an image that breaks it and the nearest one that keeps it, with the
 * answers of public qemu-img or, for LUKS version 2, of cryptsetup.
 *
 * @module
 */

import { answerers } from "../../golden/build/tools.ts";
import { parseOptions, print, UsageError } from "../../src/cli/mod.ts";
import { CryptsetupPeer, ifInstalled, LuksdePeer } from "../../src/peers/mod.ts";
import {
  packFamilies,
  readRecord,
  recordNames,
  recordText,
  removeRecord,
  writeRecord,
} from "../../src/recorded/mod.ts";
import { imagesNotRecorded } from "../cases/mod.ts";
import type { CorpusImage } from "./corpus_image.ts";
import { corpusImages, IMAGES } from "./images.ts";
import { printCoverage } from "./coverage/coverage.ts";
import { add } from "./add.ts";
import { exportCorpus } from "./export/export.ts";
import { list } from "./list.ts";
import { show } from "./show.ts";
import { vouch } from "./vouch.ts";
import { verify } from "./verify.ts";
import { described, missingFor, recordImage, type Tools } from "./record.ts";

/** The text of `--help`. */
export const help =
  `The corpus: for each rule, images that break and keep it. List, show, export or record them.

Usage:
  deno task diskproof corpus list [TEXT] [--rule RULE] [--flag FLAG] [--format FORMAT] [--json]
  deno task diskproof corpus show NAME [--out DIR] [--golden DIR]…
  deno task diskproof corpus export DIR [--features LIST] [--format dir|tar]
  deno task diskproof corpus verify [TEXT] [--set SET | --all]
  deno task diskproof corpus add FILE [--name NAME] [--shows TEXT] [--flag FLAG]…
  deno task corpus [--only TEXT] [--answers-by COMMAND]…
  deno task corpus describe
  deno task corpus vouch [--only TEXT] [--by PEER]…
  deno task diskproof corpus coverage [LIST]

'list' prints the name of each case and what it shows. TEXT is a part of the names.
'show' prints what an image is and what is expected of an implementation, and writes its files to DIR.
NAME is an image of the corpus, a golden image or one of the matrix, as validate names it.
'export' writes every case to DIR as plain files for other languages: start with the README.md there.
'verify' judges every image again and compares with its record.
'coverage' prints how many rules, fields, pairs of features, places in which a file ends, and errata have
images, and fails if one has neither an image nor a stated reason. LIST prints one list with the images:
rules, fields, pairs, truncations, errata, or alone: the images for which only diskproof vouches.
'describe' writes what the cases say about their images into the records, packs loose files, and
queries no tool.
'vouch' has the content of volumes that no tool has read decrypted by cryptsetup and by each PEER (see
validate), and records those that read the same.
'add' makes a case of an artifact of the fuzzer, or of an image: makes it smaller, describes and
classifies it, and records the answers of the installed tools. An artifact is made smaller while it
fails in the same way; of an image, bytes become zeros while no verdict and no broken rule changes.

Without a verb, the images are built from the cases in corpus/cases, and the answers are those of the
installed tools. Recorded answers of other versions are kept for images whose bytes have not changed.

Options:
  --rule RULE            for list: cases that name this rule
  --flag FLAG            for list: cases with this flag of corpus/flags.json
  --format FORMAT        for list: cases of this format; for export: a directory of files (dir, the
                         default), or one archive in DIR (tar)
  --json                 for list: a line of JSON for each case
  --by PEER              for vouch: a further implementation
  --out DIR              for show: write the files of the image to DIR, which is made
  --golden DIR           for show: recorded images, or archives of them (default those of this
                         repository)
  --features LIST        for export: only cases that need no other features, with commas between them;
                         * stands for any text (docs/adapter.md lists them)
  --set SET              for verify: corpus (default), golden or matrix
  --all                  for verify: all sets
  --name NAME            for add: the case is added.NAME (default from the artifact or the file)
  --shows TEXT           for add: one sentence (default: the first broken rule)
  --happened TEXT        for add: what happened to an implementation (default from the artifact)
  --format FORMAT        for add: the format that the image is opened as (default: probed)
  --passphrase TEXT      for add: repeat for backing files
  --beside FILE          for add: a file that the image refers to
  --verdict VERDICT      for add: must-accept, must-reject or either; nothing is added if diskproof
                         disagrees about the content
  --time DURATION        for add: how long an artifact is made smaller (default 30s)
  --peer PEER            for add: the implementation of an artifact of a target named peer-…
  --only TEXT            images whose name contains TEXT
  --answers-by COMMAND   also record the answers of this qemu-img; COMMAND is split at blanks
  --help                 this text

Examples:
  deno task diskproof corpus list --rule qcow2.l1.offset
  deno task diskproof corpus show qcow2.header.version-2-breaks --out version-2
  deno task diskproof corpus export cases --features 'qcow2.*,compressed'
  deno task diskproof corpus add artifacts/crash-da39a3ee5e6b4b0d3255bfef95601890afd80709
  deno task corpus --only header.cluster-bits

Exit status: 0 all images were recorded, or are as recorded; 1 an image could not be, or is not; 2 the
command line is unusable; 3 a tool does not work.
`;

/** What the first word can be. */
const VERBS: Readonly<Record<string, (args: readonly string[]) => number | Promise<number>>> = {
  coverage: printCoverage,
  add: (args) => add(args, { images: IMAGES, tools: () => installed([]) }),
  describe,
  export: (args) => {
    const { count, written } = exportCorpus(args);
    print(`wrote ${count} cases to ${written}`);
    return 0;
  },
  list,
  show,
  verify,
  vouch,
};

/**
 * Runs a command line.
 *
 * @returns the exit status
 * @throws {UsageError} when the command line cannot be used
 */
export async function run(args: readonly string[]): Promise<number> {
  const [first = "", ...rest] = args;
  if (Object.hasOwn(VERBS, first)) return await VERBS[first]?.(rest) ?? 0;
  const options = parseOptions(args, { values: ["only"], lists: ["answers-by"] });
  const [unexpected] = options.positional;
  if (unexpected !== undefined) throw new UsageError(`unexpected argument '${unexpected}'`);
  const only = options.value("only") ?? "";
  const all = corpusImages().filter(({ name }) => imagesNotRecorded[name] === undefined);
  const chosen = all.filter(({ name }) => name.includes(only));
  if (chosen.length === 0) throw new UsageError(`no image of the corpus has '${only}' in its name`);
  const tools = await installed(options.list("answers-by"));
  Deno.mkdirSync(IMAGES, { recursive: true });
  const names = new Set(all.map(({ name }) => name));
  for (const name of recordNames(IMAGES)) if (!names.has(name)) removeRecord(IMAGES, name);
  const status = await recordAll(chosen, tools);
  packFamilies(IMAGES);
  return status;
}

async function installed(answersBy: readonly string[]): Promise<Tools> {
  return {
    peers: await answerers(answersBy),
    cryptsetup: await ifInstalled(new CryptsetupPeer()),
    luksde: await ifInstalled(new LuksdePeer()),
  };
}

function describe(args: readonly string[]): number {
  if (args.length > 0) throw new UsageError("describe has no options");
  let written = 0;
  for (const image of corpusImages()) {
    if (imagesNotRecorded[image.name] !== undefined) continue;
    const record = readRecord(IMAGES, image.name);
    const now = described(image, record);
    if (recordText(now) === recordText(record)) continue;
    writeRecord(IMAGES, now);
    written++;
  }
  packFamilies(IMAGES);
  print(`${written} records written`);
  return 0;
}

async function recordAll(images: readonly CorpusImage[], tools: Tools): Promise<number> {
  let recorded = 0;
  let failed = 0;
  for (const image of images) {
    const missing = missingFor(image, tools);
    if (missing !== undefined) {
      print(`skipped: ${image.name}: ${missing} is not installed (unchanged)`);
      continue;
    }
    const because = await recordImage(image, IMAGES, tools);
    if (because === undefined) recorded++;
    else {
      print(`${image.name} is not recorded: ${because}`);
      failed++;
    }
  }
  print(`${recorded} images recorded`);
  return failed > 0 ? 1 : 0;
}
