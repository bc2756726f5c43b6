import type { Recipe } from "../golden/matrix.ts";
import {
  describeFile,
  type DigestAnswer,
  type DigestScope,
  type GoldenAnswers,
  goldenNames,
  type GoldenRecord,
  PeerError,
  QemuImgPeer,
  readRecord,
  runTool,
  storeGolden,
  type Subject,
  type ToolAnswer,
  type ToolResult,
  unpackGolden,
  withScratch,
  writeRecord,
} from "../src/peers/mod.ts";
import { payload } from "./golden_payload.ts";

/** The tools that make images, and those that are asked about them, the makers' own version first. */
export interface GoldenTools {
  /** Commands by the first word of a recipe's command: `qemu-img` and `qemu-io`. */
  readonly builders: { readonly [tool: string]: readonly string[] };
  /** Peers whose answers are recorded. */
  readonly answerers: readonly QemuImgPeer[];
}

/** A tool may have a line to say about each of a thousand clusters. */
const MESSAGE_MAX = 2000;
/** Content longer than this is digested in parts alone. */
const WHOLE_DIGEST_LIMIT = 32 * 1024 * 1024;

/** The installed tools; answers are recorded of the installed qemu-img first, then of the others. */
export function installedTools(others: readonly QemuImgPeer[] = []): GoldenTools {
  return {
    builders: { "qemu-img": ["qemu-img"], "qemu-io": ["qemu-io"] },
    answerers: [new QemuImgPeer(), ...others],
  };
}

/** A recipe that the installed tools do not follow. */
export class RecipeError extends PeerError {}

/** Makes one golden image and records what the tools say of it. */
export async function buildGolden(
  recipe: Recipe,
  options: { images: string; tools: GoldenTools },
): Promise<GoldenRecord> {
  const { images, tools } = options;
  const builder = (await tools.answerers[0]?.describe())?.version ?? "unknown";
  const subject = recipe.subject ?? "disk";
  const unanswered = await withScratch(async (directory) => {
    await runRecipe(recipe, { directory, tools });
    const names = [subject, ...recipe.others ?? []];
    const files = names.map((name) => describeFile(directory, name));
    const { name, features, commands } = recipe;
    const before = goldenNames(images).includes(name) ? readRecord(images, name) : undefined;
    // What other versions have said of the very same bytes still holds.
    const same = before !== undefined && JSON.stringify(before.files) === JSON.stringify(files);
    const answers = same ? before.answers : {};
    const record = { name, features, builder, commands, subject, files, answers };
    storeGolden(images, record, directory);
    return record;
  });
  const answers: { [version: string]: GoldenAnswers } = { ...unanswered.answers };
  for (const peer of tools.answerers) {
    const { version } = await peer.describe();
    answers[version] = await answersOf(peer, { images, record: unanswered, recipe });
  }
  const record = { ...unanswered, answers };
  writeRecord(images, record);
  return record;
}

async function runRecipe(
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
    const { end, stdout, stderr } = await runTool([...command, ...args], {
      directory: options.directory,
    });
    const actual = end.kind === "exited" ? end.code : end.kind === "crashed" ? "crash" : end.kind;
    // qemu-io says on standard output, and with exit status 0, that a write has failed.
    const failedQuietly = tool === "qemu-io" && ends === 0 && /failed/.test(stdout);
    if (actual !== ends || failedQuietly) {
      const said = (stderr + stdout).trim();
      throw new RecipeError(
        `Cannot build ${recipe.name}: ${argv.join(" ")} ends in ${actual}: ${said}`,
      );
    }
  }
}

/** What to ask of an image beyond what is asked of all. */
type Asking = Pick<Recipe, "snapshots" | "ranges" | "withoutMap">;

/** Asks one version about an image that has just been unpacked. */
export async function answersOf(
  peer: QemuImgPeer,
  options: { images: string; record: GoldenRecord; recipe: Asking },
): Promise<GoldenAnswers> {
  const { images, record, recipe } = options;
  return await withScratch(async (directory) => {
    unpackGolden(images, record, directory);
    const { subject: path, format } = record;
    const subject: Subject = { path, directory, ...(format === undefined ? {} : { format }) };
    const info = await peer.info(subject);
    const length = info.outcome === "accepted" ? info.value["virtual-size"] : 0;
    const digest = (scope?: DigestScope) => digestAnswer(peer, { subject, scope });
    const snapshots: { [name: string]: DigestAnswer } = {};
    for (const name of recipe.snapshots ?? []) snapshots[name] = await digest({ snapshot: name });
    const ranges = [];
    for (const range of recipe.ranges ?? []) {
      ranges.push({ ...range, digest: await digest({ range }) });
    }
    return {
      info: toolAnswer(await peer.ask("info", subject)),
      ...(recipe.withoutMap ? {} : { map: toolAnswer(await peer.ask("map", subject)) }),
      check: toolAnswer(await peer.ask("check", subject)),
      ...(length > WHOLE_DIGEST_LIMIT ? {} : { digest: await digest() }),
      ...(recipe.snapshots === undefined ? {} : { snapshots }),
      ...(recipe.ranges === undefined ? {} : { ranges }),
    };
  });
}

async function digestAnswer(
  peer: QemuImgPeer,
  question: { subject: Subject; scope: DigestScope | undefined },
): Promise<DigestAnswer> {
  const outcome = await peer.digest(question.subject, question.scope);
  if (outcome.outcome === "accepted") return outcome.value;
  if (outcome.outcome === "rejected") return { rejected: outcome.message };
  throw new PeerError(`Cannot record a digest: qemu-img ${outcome.outcome}: ${outcome.message}`);
}

function toolAnswer({ end, stdout, stderr }: ToolResult): ToolAnswer {
  if (end.kind !== "exited") throw new PeerError(`Cannot record an answer: qemu-img ${end.kind}`);
  const exitCode = end.code;
  const message = exitCode === 0 ? {} : { message: stderr.trim().slice(0, MESSAGE_MAX) };
  try {
    return { exitCode, json: JSON.parse(stdout), ...message };
  } catch {
    // A map that fails half-way leaves half of its text; a refused image leaves none.
    return { exitCode, ...message };
  }
}
