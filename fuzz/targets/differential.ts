import * as fc from "fast-check";
import { dirname, join } from "node:path";
import type { ByteSource } from "../../src/bytes/mod.ts";
import { AccessError, type Layer, type MapEntry } from "../../src/format/mod.ts";
import {
  infoOf,
  judgeImage,
  type Judgement,
  layersOf,
  mapOf,
  type OpenedImage,
  openFiles,
  readContent,
} from "../../src/image/mod.ts";
import {
  checkOutcome,
  compareCheck,
  compareInfo,
  compareMap,
  compareOutcomes,
  type Difference,
  type Outcome,
  QemuImgPeer,
  QemuIoSession,
} from "../../src/peers/mod.ts";
import { ruleOf } from "../../src/rules/mod.ts";
import { type CaseReport, Failure, type Target, type TargetContext } from "../engine/target.ts";
import {
  buildChain,
  type BuiltFile,
  type ChainModel,
  chainModels,
  fileName,
  sourcesOf,
} from "../generate/chain.ts";
import { modestDisk } from "../generate/modest.ts";
import { applyEdits, describeEdit, type Edit, editLists, resolveDraws } from "../mutate/mod.ts";
import { firstDifference } from "./content.ts";
import { explanationOf, type Observation } from "./divergences.ts";
import { writeDensely } from "./files.ts";
import { fromPlainJson, toPlainJson } from "./json.ts";
import { depthOf } from "./open.ts";
import { describeImage } from "./roundtrip.ts";

/** A case of `differential`: a chain, what was done to its top image, and what qemu-img is asked. */
export interface DifferentialCase {
  readonly chain: ChainModel;
  readonly edits: readonly Edit[];
  /** The question beyond content and allocation, which are always asked. */
  readonly ask: "info" | "map" | "check" | "nothing";
}

/** Content beyond this is left to the map. */
const CONTENT_MAX = 2 ** 17;
/** Files are written for qemu-img; larger ones would only be slow. */
const FILE_MAX = 2 ** 21;
const UNIT_MAX = 2 ** 14;

/** The property: qemu-img and the reference say the same of any image, sound or malformed. */
export const differential: Target<DifferentialCase> = {
  name: "differential",
  says: "verdict, info, map, check and content are those of the installed qemu-img",
  weight: 4,
  needsQemu: true,
  cases: differentialCases,
  toJson: toPlainJson,
  fromJson: (json) => fromPlainJson(json) as DifferentialCase,
  files: (value) => [...filesOf(value)].map(([name, source]) => ({ name, source })),
  describe: ({ chain, edits, ask }) =>
    [...chain.map(describeImage), ...edits.map(describeEdit), `asked for ${ask}`].join("\n"),
  run: runDifferential,
  async stop() {
    const closing = tools;
    tools = undefined;
    await closing?.session.close();
  },
};

function differentialCases(): fc.Arbitrary<DifferentialCase> {
  const options = { clusterBitsMax: 16, limits: { l1Bytes: 4096 } };
  const chains = fc.tuple(chainModels(options), fc.boolean(), fc.nat({ max: 64 }))
    .map(([chain, modest, clusters]) => modest ? chain : modestDisk(chain, clusters));
  const asks = fc.oneof(
    { weight: 3, arbitrary: fc.constant("nothing" as const) },
    { weight: 2, arbitrary: fc.constant("check" as const) },
    { weight: 1, arbitrary: fc.constant("map" as const) },
    { weight: 1, arbitrary: fc.constant("info" as const) },
  );
  const edits = fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, {
    weight: 5,
    arbitrary: editLists(),
  });
  return fc.tuple(chains, edits, asks).map(([chain, draws, ask]) => {
    const top = buildChain(chain)[0] as BuiltFile;
    const clusterBits = chain[0]?.format === "raw" ? 9 : chain[0]?.clusterBits ?? 9;
    return { chain, edits: resolveDraws(top.built, draws, 2 ** clusterBits), ask };
  });
}

function filesOf({ chain, edits }: DifferentialCase): Map<string, ByteSource> {
  const built = buildChain(chain);
  const sources = sourcesOf(built);
  const top = built[0] as BuiltFile;
  sources.set(top.name, applyEdits(top.built, edits));
  return sources;
}

/** The programs that a run keeps. */
interface Tools {
  readonly session: QemuIoSession;
  readonly qemuImg: QemuImgPeer;
  readonly version: string;
}

let tools: Tools | undefined;

async function toolsFor(context: TargetContext): Promise<Tools> {
  if (tools !== undefined) return tools;
  const scratch = dirname(context.directory);
  const qemuImg = new QemuImgPeer({ scratch });
  const { version } = await qemuImg.describe();
  const session = new QemuIoSession({ directory: context.directory, scratch });
  tools = { session, qemuImg, version };
  return tools;
}

async function runDifferential(
  value: DifferentialCase,
  context: TargetContext,
): Promise<CaseReport> {
  const files = filesOf(value);
  for (const [, source] of files) {
    if (source.size > FILE_MAX) return passedOver("the image file is too large to write");
  }
  const directory = context.directory;
  for (const [name, source] of files) writeDensely(join(directory, name), source);
  const format = value.chain[0]?.format ?? "raw";
  const image = openFiles(files, format);
  const judgement = judgeImage(image);
  if (image.incomplete) return passedOver("the edited image names a file that is not there");
  const path = join(directory, fileName(value.chain, 0));
  const asked: Asked = { ...await toolsFor(context), directory, path, format, image, judgement };
  const observed = [
    ...await compareContent(asked),
    ...await compareAnswer(asked, value.ask),
  ];
  const names = observed.map(({ observation, message }) => explained(observation, message));
  return {
    depth: depthOf(judgement),
    rules: judgement.findings.map((finding) => finding.rule),
    ...(names.length > 0 ? { divergences: names } : {}),
  };

  function explained(observation: Observation, message: string): string {
    const divergence = explanationOf(observation);
    if (divergence !== undefined) return divergence.name;
    throw new Failure(signatureOf(observation), message);
  }
}

function passedOver(reason: string): CaseReport {
  return { depth: "header", rules: [], passedOver: reason };
}

/** Two differences are the same one when the same question has gone wrong over the same rules. */
function signatureOf({ question, judgement, outcome }: Observation): string {
  const rules = judgement.findings.map((finding) => finding.rule)
    .filter((rule) => ruleOf(rule).level === "must" && ruleOf(rule).effect !== "ignored");
  return `differential.${question}.${outcome}.${[...new Set(rules)].sort().slice(0, 2).join("+")}`;
}

interface Asked extends Tools {
  readonly directory: string;
  readonly path: string;
  readonly format: string;
  readonly image: OpenedImage;
  readonly judgement: Judgement;
}

interface Seen {
  readonly observation: Observation;
  readonly message: string;
}

function seen(asked: Asked, question: Observation["question"], said: {
  outcome: string;
  message: string;
}): Seen {
  const { version, judgement, image } = asked;
  const info = image.layer?.info()["format-specific"]?.data;
  const zstd = info?.["compression-type"] === "zstd";
  return {
    observation: { question, version, zstd, judgement, outcome: said.outcome },
    message: `${question}: ${said.message}`,
  };
}

/** Opening, content and allocation, through qemu-io. */
async function compareContent(asked: Asked): Promise<Seen[]> {
  const { session, path, format, image, judgement } = asked;
  const size = Math.min(CONTENT_MAX, image.layer?.virtualSize ?? 0);
  const unit = Math.min(UNIT_MAX, image.layer?.clusterSize ?? UNIT_MAX);
  const answer = await session.examine({ path, format, size, unit });
  const opens = judgement.qemu.open === "accept";
  if (answer.outcome !== "accepted") {
    if (answer.outcome === "rejected" && !opens) return [];
    const message = `qemu-io says ${answer.outcome} (${answer.message}); ` +
      `the reference says ${judgement.qemu.open}`;
    return [seen(asked, "open", { outcome: answer.outcome, message })];
  }
  if (!opens) {
    const refusal = image.findings.refusal("read")?.rule;
    const message = `qemu-io opens the image; the reference refuses it for ${refusal}`;
    return [seen(asked, "open", { outcome: "accepted", message })];
  }
  const { bytes, unreadable, map } = answer.value;
  const broken = new Set(unreadable.map((range) => range.start));
  const message = contentDifference(image, { bytes, broken, unit }) ??
    allocationDifference(image, map);
  return message === undefined ? [] : [seen(asked, "content", { outcome: "accepted", message })];
}

/** Holds content unit by unit against what qemu-io has read. */
function contentDifference(
  image: OpenedImage,
  read: { bytes: Uint8Array; broken: ReadonlySet<number>; unit: number },
): string | undefined {
  const layers = layersOf(image);
  const { bytes, broken, unit } = read;
  for (let start = 0; start < bytes.length; start += unit) {
    const length = Math.min(unit, bytes.length - start);
    const ours = contentOrError(layers, start, length);
    if (ours instanceof AccessError) {
      if (!broken.has(start)) {
        return `qemu-io reads at ${start}; the reference says ${ours.message}`;
      }
      continue;
    }
    if (broken.has(start)) return `qemu-io cannot read at ${start}; the reference can`;
    const differs = firstDifference(ours, bytes.subarray(start, start + length));
    if (differs >= 0) return `another byte at ${start + differs}`;
  }
  return undefined;
}

function contentOrError(
  layers: readonly Layer[],
  start: number,
  length: number,
): Uint8Array | AccessError {
  try {
    return readContent(layers, BigInt(start), length);
  } catch (error) {
    if (error instanceof AccessError) return error;
    throw error;
  }
}

/** Holds what the top layer itself says something about against qemu-io's map. */
function allocationDifference(
  image: OpenedImage,
  map: readonly { start: number; length: number; allocated: boolean }[],
): string | undefined {
  const { layer } = image;
  if (layer === undefined) return undefined;
  const ours: { start: number; length: number; allocated: boolean }[] = [];
  for (const run of layer.runs(0, layer.virtualSize)) {
    if (run.broken !== undefined) return undefined;
    const allocated = run.kind !== "unallocated";
    const last = ours.at(-1);
    if (last !== undefined && last.allocated === allocated) last.length += run.length;
    else ours.push({ start: run.start, length: run.length, allocated });
  }
  const differs = JSON.stringify(ours) !== JSON.stringify(map);
  return differs
    ? `allocation ${JSON.stringify(ours)}, and ${JSON.stringify(map)} to qemu-io`
    : undefined;
}

/** One question to qemu-img. */
async function compareAnswer(asked: Asked, ask: DifferentialCase["ask"]): Promise<Seen[]> {
  if (ask === "nothing") return [];
  const { qemuImg, path, format, directory, image, version } = asked;
  const subject = { path, format, directory };
  if (ask === "info") {
    const ours = answerOf(image, "info", () => infoOf({ ...image, path }));
    const theirs = await qemuImg.info(subject);
    return differences(asked, {
      ask,
      ours,
      theirs,
      compare: (a, b) => compareInfo(a, b, { version }),
    });
  }
  if (ask === "map") {
    const ours = answerOf<readonly MapEntry[]>(image, "read", () => {
      const { entries, error } = mapOf(image);
      if (error !== undefined) throw error;
      return entries;
    });
    const theirs = await qemuImg.map(subject);
    return differences(asked, {
      ask,
      ours,
      theirs,
      compare: (a, b) => compareMap(a, b, { version }),
    });
  }
  const ours = image.findings.refusal("check") !== undefined || image.layer === undefined
    ? { outcome: "rejected" as const, message: "The image does not open" }
    : checkOutcome(image);
  const theirs = await qemuImg.check(subject);
  return differences(asked, { ask, ours, theirs, compare: compareCheck });
}

function answerOf<T>(
  image: OpenedImage,
  opening: "info" | "read",
  answer: () => T,
): Outcome<T> {
  const refusal = image.findings.refusal(opening);
  if (refusal !== undefined) return { outcome: "rejected", message: refusal.message };
  if (image.layer === undefined) return { outcome: "rejected", message: "The image does not open" };
  try {
    return { outcome: "accepted", value: answer() };
  } catch (error) {
    if (error instanceof AccessError) return { outcome: "rejected", message: error.message };
    throw error;
  }
}

function differences<T>(asked: Asked, answers: {
  ask: "info" | "map" | "check";
  ours: Outcome<T>;
  theirs: Outcome<T>;
  compare: (ours: T, theirs: T) => Difference[];
}): Seen[] {
  const { ask, ours, theirs, compare } = answers;
  const [first] = compareOutcomes(ours, theirs, { values: compare });
  if (first === undefined) return [];
  const message = `at ${first.path || "/"}, the reference says ${JSON.stringify(first.left)} ` +
    `and qemu-img ${JSON.stringify(first.right)}`;
  return [seen(asked, ask, { outcome: theirs.outcome, message })];
}
