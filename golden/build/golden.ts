/**
 * Golden images: `golden build` creates them with public tools, `golden verify` compares
 * implementations with the recorded answers.
 *
 * @module
 */

import { MATRIX, type Recipe } from "../recipes/mod.ts";
import { parseOptions, print, UsageError } from "../../src/cli/mod.ts";
import {
  CryptsetupPeer,
  ifInstalled,
  type Peer,
  QemuImgPeer,
  ReferencePeer,
  withScratch,
} from "../../src/peers/mod.ts";
import {
  packFamilies,
  readRecord,
  recordNames,
  removeRecord,
  verifyRecords,
  writeRecord,
} from "../../src/recorded/mod.ts";
import { answered, buildGolden, type GoldenTools, installedTools, whyNotMade } from "./build.ts";
import { verifyCombinations } from "./combinations.ts";
import { chosenForRebuild, rebuildGolden } from "./rebuild.ts";
import { printDifferences, printReport } from "./report.ts";
import { verifyVolumes } from "./volumes.ts";

const IMAGES = new URL("../images", import.meta.url).pathname;

/** The text of `--help`. */
export const help =
  `Build the golden images with public tools, or compare implementations with them.

Usage:
  deno task golden build [--only TEXT] [--answers-by COMMAND]… [--newer COMMAND --newer-io COMMAND]
  deno task golden verify [--only TEXT] [--no-rebuild | --rebuild-all]
  deno task golden combinations [--only TEXT]

build makes images and records what the tools print about them. verify compares the reference and the
installed tools with what is recorded, rebuilds images, and compares those whose bytes differ again.
combinations makes a LUKS volume of each of the 819 combinations of cipher, key, mode, IV generator and
hash with the installed qemu-img, and compares the reference with it; each takes seconds.

Options:
  --only TEXT            images whose name contains TEXT; the name of a combination is such as
                         'aes-cbc-essiv:sha256 with 16 bytes and sha1'
  --answers-by COMMAND   also record the answers of this qemu-img; COMMAND is split at blanks
  --newer COMMAND        the qemu-img for images that need a newer one than is installed
  --newer-io COMMAND     the qemu-io of the same version
  --no-rebuild           do not rebuild images
  --rebuild-all          rebuild all images; by default, of those for which qemu-img measures PBKDF2
                         for seconds, every eighth one
  --help                 this text

Example:
  deno task golden verify --only snapshots

Exit status: 0 all as recorded; 1 an answer differs; 2 the command line is unusable; 3 a tool does not
work.
`;

const OK = 0;
const FAILED = 1;

/**
 * Runs a command line.
 *
 * @returns the exit status
 * @throws {UsageError} when the command line cannot be used
 */
export async function run(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, {
    flags: ["no-rebuild", "rebuild-all"],
    values: ["only", "newer", "newer-io"],
    lists: ["answers-by"],
  });
  const [verb = "", ...rest] = options.positional;
  if (rest.length > 0 || !["build", "verify", "combinations"].includes(verb)) {
    throw new UsageError("golden needs one of build, verify and combinations");
  }
  const only = options.value("only") ?? "";
  if (verb === "combinations") return await combinations(only);
  const recipes = MATRIX.filter((recipe) => recipe.name.includes(only));
  if (recipes.length === 0) throw new UsageError(`no golden image has '${only}' in its name`);
  if (verb === "build") {
    const newer = [options.value("newer"), options.value("newer-io")];
    if (newer.includes(undefined) && newer.some((it) => it !== undefined)) {
      throw new UsageError("--newer and --newer-io belong together");
    }
    return await build(recipes, {
      answersBy: options.list("answers-by"),
      newer: newer.filter((it) => it !== undefined),
    });
  }
  if (options.flag("no-rebuild")) return await verify(recipes, []);
  return await verify(
    recipes,
    options.flag("rebuild-all") ? recipes : chosenForRebuild(recipes),
  );
}

async function combinations(only: string): Promise<number> {
  const tools = await installedTools();
  const peers = { reference: new ReferencePeer(), qemuImg: new QemuImgPeer() };
  const { volumes, differ } = await verifyCombinations(only, {
    tools,
    peers,
    onVolume: (name, differences) => {
      if (differences.length === 0) return;
      print(`${name} differs`);
      printDifferences(differences);
    },
  });
  if (volumes === 0) throw new UsageError(`no combination has '${only}' in its name`);
  print(`qemu-img ${tools.version}: ${volumes} volumes, ${differ} differ`);
  return differ > 0 ? FAILED : OK;
}

async function build(
  recipes: readonly Recipe[],
  { answersBy, newer }: { answersBy: readonly string[]; newer: readonly string[] },
): Promise<number> {
  const tools = await installedTools(answersBy);
  const newerTools = await newerThan(tools, newer);
  Deno.mkdirSync(IMAGES, { recursive: true });
  const known = new Set(MATRIX.map((recipe) => recipe.name));
  for (const name of recordNames(IMAGES)) if (!known.has(name)) removeRecord(IMAGES, name);
  let made = 0;
  for (const recipe of recipes) {
    const able = [tools, newerTools].find((it) => whyNotMade(recipe, it) === undefined);
    if (able !== undefined) {
      await buildGolden(recipe, { images: IMAGES, tools: able });
      made++;
      continue;
    }
    print(`skipped: ${recipe.name}: ${whyNotMade(recipe, newerTools)}`);
    if (!recordNames(IMAGES).includes(recipe.name)) continue;
    const record = readRecord(IMAGES, recipe.name);
    writeRecord(IMAGES, await answered(recipe, { images: IMAGES, tools, record }));
  }
  packFamilies(IMAGES);
  print(`${made} images made`);
  return OK;
}

/** The same tools, with another version of qemu-img and qemu-io for creating the images. */
async function newerThan(tools: GoldenTools, newer: readonly string[]): Promise<GoldenTools> {
  const [img, io] = newer.map((it) => it.split(" "));
  if (img === undefined || io === undefined) return tools;
  const { version } = await new QemuImgPeer({ command: img }).describe();
  return { ...tools, version, builders: { ...tools.builders, "qemu-img": img, "qemu-io": io } };
}

async function verify(recipes: readonly Recipe[], rebuilt: readonly Recipe[]): Promise<number> {
  const names = recipes.map((recipe) => recipe.name);
  const installed = await ifInstalled(new QemuImgPeer());
  const cryptsetup = await ifInstalled(new CryptsetupPeer());
  const reference = new ReferencePeer();
  const peers: Peer[] = installed === undefined ? [reference] : [reference, installed];
  if (installed === undefined) {
    print("skipped: qemu-img is not installed; only the reference is compared");
  }
  if (cryptsetup === undefined) {
    print("skipped: cryptsetup is not installed; its recorded answers are not compared with it");
  }
  let failures = 0;
  for (const peer of peers) failures += await compare(peer, { images: IMAGES, names });
  for (const { who, report } of await verifyVolumes(names, { images: IMAGES, cryptsetup })) {
    failures += printReport(report, who);
  }
  if (installed !== undefined && rebuilt.length > 0) {
    failures += await withScratch((images) =>
      compareRebuilt(rebuilt, { images, peers, installed })
    );
  }
  const left = recipes.length - rebuilt.length;
  if (left > 0) print(`${left} images were not rebuilt`);
  return failures > 0 ? FAILED : OK;
}

/**
 * Rebuilds images, and compares the peers and the recorded answers with those of the installed
 * tool.
 */
async function compareRebuilt(
  recipes: readonly Recipe[],
  options: { images: string; peers: readonly Peer[]; installed: QemuImgPeer },
): Promise<number> {
  const { images, peers, installed } = options;
  const rebuilt = await rebuildGolden(recipes, { recorded: IMAGES, images, installed });
  for (const { name, reason } of rebuilt.passedOver) {
    print(`skipped: ${name} is not rebuilt: ${reason}`);
  }
  print(`rebuilt images: ${rebuilt.same} have the recorded bytes`);
  let failures = printReport(rebuilt, "rebuilt images with other bytes");
  for (const peer of peers) {
    if (peer === installed || rebuilt.names.length === 0) continue;
    failures += await compare(peer, { images, names: rebuilt.names });
  }
  return failures;
}

async function compare(
  peer: Peer,
  options: { images: string; names: readonly string[] },
): Promise<number> {
  const { name, version } = await peer.describe();
  const shape = name === "qemu-img" ? { version } : {};
  return printReport(await verifyRecords(peer, { ...options, ...shape }), `${name} ${version}`);
}
