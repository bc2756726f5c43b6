/**
 * Golden images: `golden build` makes them with public tools, `golden verify` holds implementations
 * against what was recorded.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { MATRIX, type Recipe } from "../golden/matrix.ts";
import {
  goldenNames,
  type GoldenReport,
  type Peer,
  PeerError,
  QemuImgPeer,
  ReferencePeer,
  removeGolden,
  verifyGolden,
  withScratch,
} from "../src/peers/mod.ts";
import { buildGolden, installedTools } from "./golden_build.ts";
import { rebuildGolden } from "./golden_rebuild.ts";

const IMAGES = new URL("../golden/images", import.meta.url).pathname;

/** The text of `--help`. */
export const HELP = `Makes golden images with public tools, and holds implementations against them.

Usage:
  deno task golden build [--only TEXT] [--answers-by COMMAND]…
  deno task golden verify [--only TEXT] [--no-rebuild]

Options:
  --only TEXT            images whose name contains TEXT
  --answers-by COMMAND   record the answers of this qemu-img as well; words are split at blanks
  --no-rebuild           do not make the images anew with the installed qemu-img
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
export async function main(args: readonly string[]): Promise<number> {
  const unknown: string[] = [];
  const parsed = parseArgs(args, {
    boolean: ["help", "no-rebuild"],
    string: ["only", "answers-by"],
    collect: ["answers-by"],
    default: { only: "" },
    unknown: (arg, key) => {
      if (key !== undefined) unknown.push(arg);
      return key === undefined;
    },
  });
  const [verb, ...rest] = parsed._.map(String);
  if (parsed["help"] === true) return say(HELP, STATUS.ok);
  if (unknown.length > 0) {
    return complain(`Cannot use ${unknown[0]}: it is no option`, STATUS.usage);
  }
  if (rest.length > 0 || (verb !== "build" && verb !== "verify")) {
    return complain("Cannot run golden: name one verb, build or verify", STATUS.usage);
  }
  const only = String(parsed["only"]);
  const recipes = MATRIX.filter((recipe) => recipe.name.includes(only));
  if (recipes.length === 0) {
    return complain(`Cannot use --only ${only}: no image is called so`, STATUS.usage);
  }
  const answersBy = (parsed["answers-by"] as string[] | undefined) ?? [];
  try {
    return await (verb === "build"
      ? build(recipes, answersBy)
      : verify(recipes, parsed["no-rebuild"] !== true));
  } catch (error) {
    if (error instanceof PeerError) return complain(error.message, STATUS.peer);
    throw error;
  }
}

async function build(recipes: readonly Recipe[], answersBy: readonly string[]): Promise<number> {
  const others = answersBy.map((it) => new QemuImgPeer({ command: it.split(" ") }));
  const tools = installedTools(others);
  Deno.mkdirSync(IMAGES, { recursive: true });
  const known = new Set(MATRIX.map((recipe) => recipe.name));
  for (const name of goldenNames(IMAGES)) if (!known.has(name)) removeGolden(IMAGES, name);
  for (const recipe of recipes) await buildGolden(recipe, { images: IMAGES, tools });
  return say(`${recipes.length} images made\n`, STATUS.ok);
}

async function verify(recipes: readonly Recipe[], rebuild: boolean): Promise<number> {
  const names = recipes.map((recipe) => recipe.name);
  const installed = await installedQemuImg();
  const reference = new ReferencePeer();
  const peers: Peer[] = installed === undefined ? [reference] : [reference, installed];
  if (installed === undefined) {
    say(
      "qemu-img is not installed: only the reference is held against what was recorded\n",
      STATUS.ok,
    );
  }
  let failures = 0;
  for (const peer of peers) failures += await hold(peer, { images: IMAGES, names });
  if (installed !== undefined && rebuild) {
    failures += await withScratch((images) => holdRebuilt(recipes, { images, peers, installed }));
  }
  return failures > 0 ? STATUS.failed : STATUS.ok;
}

/** Makes the images anew, and holds the peers and the recorded answers against the live tool's. */
async function holdRebuilt(
  recipes: readonly Recipe[],
  options: { images: string; peers: readonly Peer[]; installed: QemuImgPeer },
): Promise<number> {
  const { images, peers, installed } = options;
  const rebuilt = await rebuildGolden(recipes, { recorded: IMAGES, images, installed });
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
  return tell(await verifyGolden(peer, { ...options, ...shape }), `${name} ${version}`);
}

/** Prints what differs and a last line; gives the number of failures back. */
function tell(report: GoldenReport, who: string): number {
  for (const { image, question, recordedBy, differences } of report.failures) {
    say(`${image}: ${question} differs from ${recordedBy.join(", ")}\n`, STATUS.ok);
    for (const { path, left, right } of differences.slice(0, 8)) {
      say(
        `  ${path || "/"}: ${JSON.stringify(left)} recorded, ${JSON.stringify(right)} now\n`,
        STATUS.ok,
      );
    }
  }
  const { images, questions, unsupported, failures } = report;
  const without = unsupported === 0 ? "" : `, ${unsupported} without an answer`;
  say(
    `${who}: ${images} images, ${questions} questions${without}, ${failures.length} differ\n`,
    STATUS.ok,
  );
  return failures.length;
}

async function installedQemuImg(): Promise<QemuImgPeer | undefined> {
  const peer = new QemuImgPeer();
  try {
    await peer.describe();
    return peer;
  } catch (error) {
    if (error instanceof PeerError) return undefined;
    throw error;
  }
}

function say(text: string, status: number): number {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
  return status;
}

function complain(text: string, status: number): number {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
  return status;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
