import type { Recipe } from "../recipes/mod.ts";
import {
  CryptsetupPeer,
  ifInstalled,
  isOlder,
  PeerError,
  QemuImgPeer,
  runTool,
  type ToolResult,
  withScratch,
} from "../../src/peers/mod.ts";
import {
  type CryptsetupAnswers,
  describeFile,
  type ImageRecord,
  storeRecord,
  subjectOf,
  unpackRecord,
  withExpectations,
  writeRecord,
} from "../../src/recorded/mod.ts";
import { payload } from "./payload.ts";
import { cryptsetupAnswers, recordedBefore, type Stored, withAnswers } from "./recording.ts";
import { answerers } from "./tools.ts";

/**
 * The tools that create images, and those whose answers are recorded. The version that creates the
 * images comes first.
 */
export interface GoldenTools {
  /** Commands by the first word of a recipe's command: `qemu-img`, `qemu-io` and `cryptsetup`. */
  readonly builders: { readonly [tool: string]: readonly string[] };
  /** The version of `qemu-img` among them. */
  readonly version: string;
  /** Peers whose answers are recorded. */
  readonly answerers: readonly QemuImgPeer[];
  /** Queried about volumes; `undefined` if it is not installed. */
  readonly cryptsetup: CryptsetupPeer | undefined;
}

/**
 * qemu-img's message when it cannot measure PBKDF2 on a busy machine, and the limit on attempts.
 */
const UNMEASURED = /accurate CPU usage/;
const ATTEMPTS = 60;

/** The installed tools; besides the installed qemu-img, others may answer. */
export async function installedTools(answersBy: readonly string[] = []): Promise<GoldenTools> {
  const builders = { "qemu-img": ["qemu-img"], "qemu-io": ["qemu-io"], cryptsetup: ["cryptsetup"] };
  const { version } = await new QemuImgPeer().describe();
  const cryptsetup = await ifInstalled(new CryptsetupPeer());
  return { builders, version, answerers: await answerers(answersBy), cryptsetup };
}

/** Why these tools cannot follow a recipe; `undefined` if they should be able to. */
export function whyNotMade(recipe: Recipe, tools: GoldenTools): string | undefined {
  const { since } = recipe;
  if (since !== undefined && isOlder(tools.version, since)) {
    return `it needs qemu-img ${since}, not ${tools.version}`;
  }
  const wants = recipe.commands.some(({ argv }) => argv[0] === "cryptsetup");
  return wants && tools.cryptsetup === undefined ? "cryptsetup is not installed" : undefined;
}

/** A recipe that the installed tools cannot follow. */
export class RecipeError extends PeerError {}

/**
 * Creates one golden image and records the answers of the tools about it.
 *
 * @param options.answered a record of the image: if its bytes are the same, it is returned, and
 * nothing is written
 */
export async function buildGolden(
  recipe: Recipe,
  options: { images: string; tools: GoldenTools; answered?: ImageRecord | undefined },
): Promise<ImageRecord> {
  const { images, tools, answered: before } = options;
  const subject = recipe.subject ?? "disk";
  const unanswered = await withScratch(async (directory) => {
    await runRecipe(recipe, { directory, tools });
    const names = [subject, ...recipe.others ?? []];
    const files = names.map((name) => describeFile(directory, name));
    if (before !== undefined && JSON.stringify(files) === JSON.stringify(before.files)) {
      return before;
    }
    const { name, features, commands } = recipe;
    const makers = { builder: tools.version, ...await cryptsetupIn(recipe, tools) };
    const made: ImageRecord = {
      name,
      features,
      ...makers,
      commands,
      subject,
      ...openingOf(recipe),
      files,
      answers: {},
    };
    const record = { ...made, answers: recordedBefore(images, made)?.answers ?? {} };
    storeRecord(images, record, directory);
    return record;
  });
  if (unanswered === before) return before;
  const record = await answered(recipe, { images, tools, record: unanswered });
  writeRecord(images, record);
  return record;
}

/** The record of an existing image, with the answers of the tools. */
export async function answered(
  recipe: Recipe,
  { images, record, tools }: Stored & { tools: GoldenTools },
): Promise<ImageRecord> {
  const answers = await withAnswers({ images, record }, {
    peers: tools.answerers,
    queries: recipe,
  });
  const volume = await volumeAnswers(recipe, { images, tools, record });
  const whole = { ...record, answers, ...(volume === undefined ? {} : { volume }) };
  return await withExpectations(whole, (to) => unpackRecord(images, whole, to));
}

async function cryptsetupIn(
  { commands }: Recipe,
  { cryptsetup }: GoldenTools,
): Promise<{ cryptsetup?: string }> {
  if (!commands.some(({ argv }) => argv[0] === "cryptsetup")) return {};
  return { cryptsetup: (await cryptsetup?.describe())?.version ?? "unknown" };
}

/** How the subject is opened. A payload cannot be probed. */
function openingOf({ passphrases, header }: Recipe): Partial<ImageRecord> {
  return {
    ...(header === undefined ? {} : { header, format: "luks" }),
    ...(passphrases === undefined ? {} : { passphrases }),
  };
}

async function volumeAnswers(
  { unlocks }: Recipe,
  { images, record, tools: { cryptsetup } }: Stored & { tools: GoldenTools },
): Promise<{ [version: string]: CryptsetupAnswers } | undefined> {
  if (unlocks === undefined || cryptsetup === undefined) return undefined;
  const { version } = await cryptsetup.describe();
  return await withScratch(async (directory) => {
    unpackRecord(images, record, directory);
    const subject = subjectOf(record, directory);
    const answers = await cryptsetupAnswers(cryptsetup, { subject, passphrases: unlocks });
    return { [version]: answers };
  });
}

/** Runs the commands of a recipe, next to the payload. */
export async function runRecipe(
  recipe: Recipe,
  options: { directory: string; tools: GoldenTools },
): Promise<void> {
  for (const [name, bytes] of Object.entries(payload())) {
    Deno.writeFileSync(`${options.directory}/${name}`, bytes);
  }
  for (const { argv, ends = 0 } of recipe.commands) {
    const [tool = "", ...args] = argv;
    const command = options.tools.builders[tool];
    if (command === undefined) throw new RecipeError(`Cannot build ${recipe.name}: no ${tool}`);
    const { end, stdout, stderr } = await runUnhurried([...command, ...args], options.directory);
    const actual = end.kind === "exited" ? end.code : end.kind === "crashed" ? "crash" : end.kind;
    // qemu-io prints to standard output that a write has failed, and exits with status 0.
    const failedQuietly = tool === "qemu-io" && ends === 0 && /failed/.test(stdout);
    if (actual !== ends || failedQuietly) {
      const said = (stderr + stdout).trim();
      throw new RecipeError(
        `Cannot build ${recipe.name}: ${argv.join(" ")} ends in ${actual}: ${said}`,
      );
    }
  }
}

/** Runs a command, and repeats it if qemu-img could not measure PBKDF2. */
async function runUnhurried(command: readonly string[], directory: string): Promise<ToolResult> {
  for (let attempt = 1;; attempt++) {
    const result = await runTool(command, { directory });
    if (attempt === ATTEMPTS || !UNMEASURED.test(result.stderr)) return result;
  }
}
