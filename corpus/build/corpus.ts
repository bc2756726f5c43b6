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
  readRecord,
  recordNames,
  recordText,
  removeRecord,
  writeRecord,
} from "../../src/recorded/mod.ts";
import { imagesNotRecorded } from "../cases/mod.ts";
import { type CorpusImage, corpusImages } from "./images.ts";
import { exportCorpus } from "./export/export.ts";
import { show } from "./show.ts";
import { described, missingFor, recordImage, type Tools } from "./record.ts";

const IMAGES = new URL("../images", import.meta.url).pathname;

/** The text of `--help`. */
export const help =
  `Record the corpus: for each rule, images that break and keep it. Or show one image.

Usage:
  deno task corpus [--only TEXT] [--answers-by COMMAND]…
  deno task corpus describe
  deno task diskproof corpus show NAME [--out DIR] [--golden DIR]…

'describe' writes what the cases say about their images into the records, and queries no tool.
'show' prints what an image is and what is expected of an implementation, and writes its files to DIR.
NAME is an image of the corpus, a golden image or one of the matrix, as validate names it.

The images are built from the cases in corpus/cases, and the answers are those of the installed tools.
Recorded answers of other versions are kept for images whose bytes have not changed.

Options:
  --only TEXT            images whose name contains TEXT
  --answers-by COMMAND   also record the answers of this qemu-img; COMMAND is split at blanks
  --out DIR              for show: write the files of the image to DIR, which is made
  --golden DIR           for show: recorded images, or archives of them (default those of this
                         repository)
  --help                 this text

Examples:
  deno task corpus --only header.cluster-bits
  deno task diskproof corpus show qcow2.header.version-2-breaks --out version-2

Exit status: 0 all images were recorded; 1 an image could not be; 2 the command line is unusable; 3 a
tool does not work.
`;

/**
 * Runs a command line.
 *
 * @returns the exit status
 * @throws {UsageError} when the command line cannot be used
 */
export async function run(args: readonly string[]): Promise<number> {
  if (args[0] === "export") {
    const { count, written } = exportCorpus(args.slice(1));
    print(`wrote ${count} cases to ${written}`);
    return 0;
  }
  if (args[0] === "show") return show(args.slice(1));
  if (args.length === 1 && args[0] === "describe") return describe();
  const options = parseOptions(args, { values: ["only"], lists: ["answers-by"] });
  const [unexpected] = options.positional;
  if (unexpected !== undefined) throw new UsageError(`unexpected argument '${unexpected}'`);
  const only = options.value("only") ?? "";
  const all = corpusImages().filter(({ name }) => imagesNotRecorded[name] === undefined);
  const chosen = all.filter(({ name }) => name.includes(only));
  if (chosen.length === 0) throw new UsageError(`no image of the corpus has '${only}' in its name`);
  const tools = {
    peers: await answerers(options.list("answers-by")),
    cryptsetup: await ifInstalled(new CryptsetupPeer()),
    luksde: await ifInstalled(new LuksdePeer()),
  };
  Deno.mkdirSync(IMAGES, { recursive: true });
  const names = new Set(all.map(({ name }) => name));
  for (const name of recordNames(IMAGES)) if (!names.has(name)) removeRecord(IMAGES, name);
  return await recordAll(chosen, tools);
}

function describe(): number {
  let written = 0;
  for (const image of corpusImages()) {
    if (imagesNotRecorded[image.name] !== undefined) continue;
    const record = readRecord(IMAGES, image.name);
    const now = described(image, record);
    if (recordText(now) === recordText(record)) continue;
    writeRecord(IMAGES, now);
    written++;
  }
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
