import * as fc from "fast-check";
import { dirname, join } from "node:path";
import type { ByteSource } from "../../src/bytes/mod.ts";
import type { Layer } from "../../src/format/mod.ts";
import { judgeImage, type Judgement, layersOf, openFiles } from "../../src/image/mod.ts";
import { QemuImgPeer, QemuIoSession } from "../../src/peers/mod.ts";
import { ruleOf } from "../../src/rules/mod.ts";
import { type CaseReport, Failure, type Target, type TargetContext } from "../engine/target.ts";
import {
  buildChain,
  type BuiltFile,
  type ChainModel,
  chainModels,
  fileName,
  sourcesOf,
} from "../formats/chain/models.ts";
import { modestDisk } from "../formats/chain/modest.ts";
import { applyEdits, describeEdit, type Edit, editLists, resolveDraws } from "../mutate/mod.ts";
import { type Ask, type Asked, compareAnswer, compareContent, type Tools } from "./answers.ts";
import { explanationOf, type Observation } from "./divergences.ts";
import { writeDensely } from "./files.ts";
import { fromPlainJson, toPlainJson } from "./json.ts";
import { chainKeys, chainPassphrases, withOwnKeys } from "./keys.ts";
import { depthOf } from "./open.ts";
import { describeImage, excerptOfTop } from "./roundtrip.ts";

/** A case of `differential`: a chain, what was done to its top image, and what qemu-img is asked. */
export interface DifferentialCase {
  readonly chain: ChainModel;
  readonly edits: readonly Edit[];
  /** The question beyond content and allocation, which are always asked. */
  readonly ask: Ask;
}

/** Files are written for qemu-img; larger ones would only be slow. */
const FILE_MAX = 2 ** 21;
/** Corruptions and leaks of one image: qemu-img prints a line for each, tens of thousands in seconds. */
const COMPLAINTS_MAX = 2 ** 13;
/** Snapshots that QEMU reads, one request each, without anybody noticing. */
const SNAPSHOTS_MAX = 2 ** 12;
/** Milliseconds for one answer: less than a case may take, so that it is known who did not answer. */
const ANSWER_MS = 8000;

/** The property: qemu-img and the reference say the same of any image, sound or malformed. */
export const differential: Target<DifferentialCase> = {
  name: "differential",
  says: "verdict, info, map, check and content are those of the installed qemu-img",
  weight: 4,
  needs: ["qemu-img", "qemu-io"],
  cases: differentialCases,
  toJson: toPlainJson,
  fromJson: (json) => fromPlainJson(json) as DifferentialCase,
  files: (value) => [...filesOf(value)].map(([name, source]) => ({ name, source })),
  describe: ({ chain, edits, ask }) =>
    [...chain.map(describeImage), ...edits.map(describeEdit), `asked for ${ask}`].join("\n"),
  excerpt: (value) =>
    excerptOfTop(value.chain, [...filesOf(value)].map(([name, source]) => ({ name, source }))),
  passphrases: ({ chain }) => chainPassphrases(chain),
  run: runDifferential,
  async stop() {
    const closing = tools;
    tools = undefined;
    await closing?.session.close();
  },
};

function differentialCases(): fc.Arbitrary<DifferentialCase> {
  const options = { clusterBitsMax: 16, limits: { l1Bytes: 4096 }, encryption: "some" } as const;
  const chains = fc.tuple(chainModels(options), fc.boolean(), fc.nat({ max: 64 }))
    .map(([chain, modest, clusters]) => withOwnKeys(modest ? chain : modestDisk(chain, clusters)));
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

let tools: Tools | undefined;

function toolsFor(context: TargetContext): Tools {
  if (tools !== undefined) return tools;
  const scratch = dirname(context.directory);
  const qemuImg = new QemuImgPeer({ scratch, timeoutMs: ANSWER_MS });
  const { "qemu-img": version = "" } = context.tools;
  const options = { directory: context.directory, scratch, timeoutMs: ANSWER_MS };
  const session = new QemuIoSession(options);
  tools = { session, qemuImg, version };
  return tools;
}

async function runDifferential(
  value: DifferentialCase,
  context: TargetContext,
): Promise<CaseReport> {
  const files = filesOf(value);
  for (const [, source] of files) {
    if (source.size > FILE_MAX) return skipped("the image file is too large to write");
  }
  const directory = context.directory;
  for (const [name, source] of files) writeDensely(join(directory, name), source);
  const format = value.chain[0]?.format ?? "raw";
  const image = openFiles(files, format, chainKeys(value.chain));
  const judgement = judgeImage(image);
  if (image.incomplete) return skipped("the edited image names a file that is not there");
  if ((image.layer?.snapshots?.length ?? 0) > SNAPSHOTS_MAX) {
    return skipped("qemu reads the entries of tens of thousands of snapshots one by one");
  }
  if (isEndless(layersOf(image))) return skipped("qemu-img maps a qcow disk cluster by cluster");
  const path = join(directory, fileName(value.chain, 0));
  const edited = value.edits.length > 0;
  const passphrases = chainPassphrases(value.chain);
  const about = { directory, path, format, image, judgement, edited, passphrases };
  // Which image of a chain takes a passphrase is what `info` tells, and check opens more than info does.
  const untold = image.findings.refusal("info") !== undefined && value.chain.length > 1;
  if (value.ask === "check" && untold && passphrases.length > 0) {
    return skipped("qemu-img does not tell which backing file takes the passphrase");
  }
  const asked: Asked = { ...toolsFor(context), ...about };
  const observed = hasCostlyKeys(judgement)
    // QEMU has no budget for iterations: it is not asked for what takes hours.
    ? await compareAnswer({ ...asked, passphrases: [] }, "info")
    : [
      ...await compareContent(asked),
      ...await compareAnswer(asked, isNoisy(judgement) ? "nothing" : value.ask),
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

/** Clusters of a qcow disk that QEMU looks up one by one within a few seconds. */
const QCOW_CLUSTERS_MAX = 2 ** 17;

/** Whether QEMU would take for ever over a map: in version 1 it passes over no unallocated stretch. */
function isEndless(layers: readonly Layer[]): boolean {
  const size = layers[0]?.virtualSize ?? 0;
  return layers.some((layer) =>
    layer.format === "qcow" &&
    Math.min(size, layer.virtualSize) / layer.clusterSize > QCOW_CLUSTERS_MAX
  );
}

/** Whether qemu-img's check would be slow for all that it has to say. */
function isNoisy({ qemu: { check } }: Judgement): boolean {
  return check !== null && check.corruptions + check.leaks > COMPLAINTS_MAX;
}

function hasCostlyKeys({ findings }: Judgement): boolean {
  return findings.some(({ rule }) => rule === "luks.work.iterations-budget");
}

function skipped(reason: string): CaseReport {
  return { depth: "header", rules: [], skipped: reason };
}

/** Two differences are the same one when the same question has gone wrong over the same rules. */
function signatureOf({ question, judgement, outcome }: Observation): string {
  const rules = judgement.findings.map((finding) => finding.rule)
    .filter((rule) => ruleOf(rule).level === "must" && ruleOf(rule).effect !== "ignored");
  return `differential.${question}.${outcome}.${[...new Set(rules)].sort().slice(0, 2).join("+")}`;
}
