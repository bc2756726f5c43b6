/**
 * Golden images: `golden build` makes them with public tools, `golden verify` holds implementations
 * against what was recorded.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { MATRIX, type Recipe } from "../recipes/mod.ts";
import {
  CryptsetupPeer,
  type Difference,
  ifInstalled,
  type Peer,
  PeerError,
  QemuImgPeer,
  ReferencePeer,
  withScratch,
} from "../../src/peers/mod.ts";
import {
  readRecord,
  recordNames,
  removeRecord,
  verifyRecords,
  type VerifyReport,
  writeRecord,
} from "../../src/recorded/mod.ts";
import { answered, buildGolden, type GoldenTools, installedTools, whyNotMade } from "./build.ts";
import { verifyCombinations } from "./combinations.ts";
import { chosenForRebuild, rebuildGolden } from "./rebuild.ts";
import { verifyVolumes } from "./volumes.ts";

const IMAGES = new URL("../images", import.meta.url).pathname;

/** The text of `--help`. */
export const help = `Makes golden images with public tools, and holds implementations against them.

Usage:
  deno task golden build [--only TEXT] [--answers-by COMMAND]… [--newer COMMAND --newer-io COMMAND]
  deno task golden verify [--only TEXT] [--no-rebuild | --rebuild-all]
  deno task golden combinations [--only TEXT]

combinations makes a LUKS volume of each combination of cipher, key, mode, IV generator and hash with
the installed qemu-img, and holds the reference against it. There are 819, and each takes seconds.

Options:
  --only TEXT            images whose name contains TEXT; a combination is called as
                         'aes-cbc-essiv:sha256 with 16 bytes and sha1'
  --answers-by COMMAND   record the answers of this qemu-img as well; words are split at blanks
  --newer COMMAND        the qemu-img that makes what the installed one is too old for
  --newer-io COMMAND     the qemu-io of the same version
  --no-rebuild           do not make the images anew with the installed tools
  --rebuild-all          make all images anew, also each one for which qemu-img measures for
                         seconds how fast the machine is; else every eighth of these
  --help                 this text

Example:
  deno task golden verify --only snapshots

Exit status: 0 all as recorded; 1 an answer differs; 2 the command line is unusable; 3 a tool could
not be started.
`;

const STATUS = { ok: 0, failed: 1, usage: 2, peer: 3 } as const;

/**
 * Runs a command line.
 *
 * @returns the exit status
 */
export async function run(args: readonly string[]): Promise<number> {
  const unknown: string[] = [];
  const parsed = parseArgs(args, {
    boolean: ["help", "no-rebuild", "rebuild-all"],
    string: ["only", "answers-by", "newer", "newer-io"],
    collect: ["answers-by"],
    default: { only: "" },
    unknown: (arg, key) => {
      if (key !== undefined) unknown.push(arg);
      return key === undefined;
    },
  });
  const [verb, ...rest] = parsed._.map(String);
  if (parsed["help"] === true) return say(help, STATUS.ok);
  if (unknown.length > 0) {
    return complain(`Cannot use ${unknown[0]}: it is no option`, STATUS.usage);
  }
  if (rest.length > 0 || !["build", "verify", "combinations"].includes(verb ?? "")) {
    return complain(
      "Cannot run golden: name one verb, build, verify or combinations",
      STATUS.usage,
    );
  }
  const only = String(parsed["only"]);
  if (verb === "combinations") return await orPeerError(() => combinations(only));
  const recipes = MATRIX.filter((recipe) => recipe.name.includes(only));
  if (recipes.length === 0) {
    return complain(`Cannot use --only ${only}: no image is called so`, STATUS.usage);
  }
  const answersBy = (parsed["answers-by"] as string[] | undefined) ?? [];
  const newer = [parsed["newer"], parsed["newer-io"]].filter((it) => it !== undefined).map(String);
  if (newer.length === 1) {
    return complain("Cannot build: --newer and --newer-io belong together", STATUS.usage);
  }
  const all = parsed["rebuild-all"] === true;
  const rebuilt = parsed["no-rebuild"] === true ? [] : all ? recipes : chosenForRebuild(recipes);
  return await orPeerError(() =>
    verb === "build" ? build(recipes, { answersBy, newer }) : verify(recipes, rebuilt)
  );
}

async function orPeerError(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PeerError) return complain(error.message, STATUS.peer);
    throw error;
  }
}

async function combinations(only: string): Promise<number> {
  const tools = await installedTools();
  const peers = { reference: new ReferencePeer(), qemuImg: new QemuImgPeer() };
  const { volumes, differ } = await verifyCombinations(only, {
    tools,
    peers,
    onVolume: (name, differences) => {
      if (differences.length > 0) say(`${name} differs\n${linesOf(differences)}`, STATUS.ok);
    },
  });
  if (volumes === 0) {
    return complain(`Cannot use --only ${only}: no combination is called so`, STATUS.usage);
  }
  const status = differ > 0 ? STATUS.failed : STATUS.ok;
  return say(`qemu-img ${tools.version}: ${volumes} volumes, ${differ} differ\n`, status);
}

async function build(
  recipes: readonly Recipe[],
  { answersBy, newer }: { answersBy: readonly string[]; newer: readonly string[] },
): Promise<number> {
  const others = answersBy.map((it) => new QemuImgPeer({ command: it.split(" ") }));
  const tools = await installedTools(others);
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
    say(`${recipe.name} is not made: ${whyNotMade(recipe, newerTools)}\n`, STATUS.ok);
    if (!recordNames(IMAGES).includes(recipe.name)) continue;
    const record = readRecord(IMAGES, recipe.name);
    writeRecord(IMAGES, await answered(recipe, { images: IMAGES, tools, record }));
  }
  return say(`${made} images made\n`, STATUS.ok);
}

/** The same tools, but for another version of qemu-img and qemu-io that makes the images. */
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
    say("qemu-img is not installed: only the reference is compared\n", STATUS.ok);
  }
  if (cryptsetup === undefined) {
    say("cryptsetup is not installed: its recorded answers are not compared with it\n", STATUS.ok);
  }
  let failures = 0;
  for (const peer of peers) failures += await hold(peer, { images: IMAGES, names });
  for (const { who, report } of await verifyVolumes(names, { images: IMAGES, cryptsetup })) {
    failures += tell(report, who);
  }
  if (installed !== undefined && rebuilt.length > 0) {
    failures += await withScratch((images) => holdRebuilt(rebuilt, { images, peers, installed }));
  }
  const left = recipes.length - rebuilt.length;
  if (left > 0) say(`${left} images were not made anew\n`, STATUS.ok);
  return failures > 0 ? STATUS.failed : STATUS.ok;
}

/** Makes the images anew, and holds the peers and the recorded answers against the live tool's. */
async function holdRebuilt(
  recipes: readonly Recipe[],
  options: { images: string; peers: readonly Peer[]; installed: QemuImgPeer },
): Promise<number> {
  const { images, peers, installed } = options;
  const rebuilt = await rebuildGolden(recipes, { recorded: IMAGES, images, installed });
  for (const { name, reason } of rebuilt.passedOver) {
    say(`${name} is not made anew: ${reason}\n`, STATUS.ok);
  }
  let failures = tell(rebuilt, "images made anew");
  for (const peer of peers) {
    if (peer === installed) continue;
    failures += await hold(peer, { images, names: rebuilt.names });
  }
  return failures;
}

async function hold(
  peer: Peer,
  options: { images: string; names: readonly string[] },
): Promise<number> {
  const { name, version } = await peer.describe();
  const shape = name === "qemu-img" ? { version } : {};
  return tell(await verifyRecords(peer, { ...options, ...shape }), `${name} ${version}`);
}

/** Prints what differs and a last line; gives the number of failures back. */
function tell(report: VerifyReport, who: string): number {
  for (const { image, question, recordedBy, differences } of report.failures) {
    const side = recordedBy.length === 0 ? "any answer" : recordedBy.join(", ");
    say(`${image}: ${question} differs from ${side}\n`, STATUS.ok);
    say(linesOf(differences), STATUS.ok);
  }
  const { images, questions, unsupported, failures } = report;
  const without = unsupported === 0 ? "" : `, ${unsupported} without an answer`;
  say(
    `${who}: ${images} images, ${questions} questions${without}, ${failures.length} differ\n`,
    STATUS.ok,
  );
  return failures.length;
}

/** A line for each difference; the first ones of many. */
function linesOf(differences: readonly Difference[]): string {
  return differences.slice(0, 8).map(({ path, left, right }) =>
    `  ${path || "/"}: ${JSON.stringify(left)} recorded, ${JSON.stringify(right)} now\n`
  ).join("");
}

function say(text: string, status: number): number {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
  return status;
}

function complain(text: string, status: number): number {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
  return status;
}
