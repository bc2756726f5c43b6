import * as fc from "fast-check";
import { join } from "node:path";
import { judgeImage, type OpenedImage } from "../../src/image/mod.ts";
import type { ChainImage } from "../../src/peers/mod.ts";
import {
  type Asked,
  type Divergence,
  type Seen,
  signatureOf,
  Toolbox,
  writeDensely,
} from "../compare/mod.ts";
import { type CaseFile, type CaseReport, Failure, type Target } from "../engine/mod.ts";
import {
  depthOf,
  describeModel,
  drawsOf,
  editsOf,
  filesOf,
  formatIn,
  type Kit,
  openWith,
  passphrasesOf,
  repaired,
  sourceOf,
  targetName,
  type ToolKit,
} from "../formats/mod.ts";
import { KEY_WORDS, type KeyChoice, keyChoices } from "../generate/mod.ts";
import { describeEdit, type Edit } from "../mutate/mod.ts";
import { excerptOf } from "./excerpt.ts";
import { fromPlainJson, toPlainJson } from "./json.ts";

/** A case of `differential`: an image, its edits, and the question. */
export interface DifferentialCase<Model = unknown> {
  /** The model that the image is built from. */
  readonly model: Model;
  /** The edits, in order. */
  readonly edits: readonly Edit[];
  /** What the image is opened with. */
  readonly key: KeyChoice;
  /** A question of the kit. */
  readonly ask: string;
}

/**
 * The property: for any image, valid or malformed, the tools give the same answer as the reference, or
 * differ for a known reason.
 */
export function differential<Model>(
  kit: Kit<Model> & { readonly tools: ToolKit },
): Target<DifferentialCase<Model>> {
  const { tools } = kit;
  let toolbox: Toolbox | undefined;
  // Cases that are replayed, for which all questions are asked.
  const stored = new WeakSet<DifferentialCase<Model>>();
  return {
    name: targetName(kit, "differential"),
    says: tools.says,
    weight: tools.weight,
    needs: tools.needs,
    ...(tools.uses === undefined ? {} : { uses: tools.uses }),
    cases: () => differentialCases(kit),
    toJson: toPlainJson,
    fromJson: (json) => {
      const value = storedCase(kit, fromPlainJson(json) as StoredCase<Model>);
      stored.add(value);
      return value;
    },
    repair: (value) => repaired(kit, value),
    files: ({ model, edits }) => filesOf(kit, model, edits),
    describe: ({ model, edits, key, ask }) =>
      [
        describeModel(kit, model),
        ...edits.map(describeEdit),
        ...(kit.keys === undefined ? [] : [`opened with ${KEY_WORDS[key]}`]),
        `question: ${ask}`,
      ].join("\n"),
    excerpt: ({ model, edits }, about) =>
      excerptOf(kit, sourceOf(filesOf(kit, model, edits)), { about, model }),
    passphrases: ({ model, key }) => passphrasesOf(kit, model, key),
    run: async (value, context) => {
      const files = filesOf(kit, value.model, value.edits);
      if (files.some(({ source }) => source.size > (tools.fileMax ?? Infinity))) {
        return { depth: "header", rules: [], skipped: "the image file is too large to write" };
      }
      const asked = writtenCase(kit, value, { files, directory: context.directory });
      toolbox ??= new Toolbox(context, tools.timeoutMs);
      const { skipped, seen } = await tools.compare(asked, value.ask, toolbox);
      const names = seen.map((difference) => explained(difference, tools.divergences));
      for (const ask of stored.has(value) ? Object.keys(tools.asks) : []) {
        const others = ask === value.ask ? [] : (await tools.compare(asked, ask, toolbox)).seen;
        for (const difference of others) explained(difference, tools.divergences);
      }
      return reportOf(kit, asked, { names, skipped });
    },
    async stop() {
      const closing = toolbox;
      toolbox = undefined;
      await closing?.close();
    },
  };
}

function differentialCases<Model>(
  kit: Kit<Model> & { readonly tools: ToolKit },
): fc.Arbitrary<DifferentialCase<Model>> {
  const { asks, untouched } = kit.tools;
  const edits = fc.oneof(
    { withCrossShrink: true },
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 2 * untouched - 2, arbitrary: drawsOf(kit, "differential") },
  );
  const ask = fc.oneof(
    ...Object.entries(asks).map(([name, weight]) => ({ weight, arbitrary: fc.constant(name) })),
  );
  const key = kit.keys?.choices("differential") ?? keyChoices({ none: 1 });
  return fc.tuple(kit.models("differential"), edits, key, ask)
    .map(([model, draws, key, ask]) => ({ model, edits: editsOf(kit, model, draws), key, ask }));
}

/** A case as stored by any release. */
type StoredCase<Model> =
  & Pick<DifferentialCase<Model>, "edits">
  & Partial<Pick<DifferentialCase<Model>, "key" | "ask">>
  & ({ readonly model: Model } | { readonly chain: Model });

function storedCase<Model>(
  kit: Kit<Model> & { readonly tools: ToolKit },
  value: StoredCase<Model>,
): DifferentialCase<Model> {
  const { edits, key = "right", ask = Object.keys(kit.tools.asks)[0] ?? "" } = value;
  const model = "chain" in value ? value.chain : value.model;
  return { model, edits: edits.map((edit) => kit.edits?.stored?.(edit) ?? edit), key, ask };
}

/** Writes the files of a case, and opens them as the reference does. */
function writtenCase<Model>(
  kit: Kit<Model>,
  { model, edits, key }: DifferentialCase<Model>,
  { files, directory }: { files: readonly CaseFile[]; directory: string },
): Asked {
  for (const { name, source } of files) writeDensely(join(directory, name), source);
  const passphrases = passphrasesOf(kit, model, key);
  const image = openWith(kit, files, passphrases);
  const [first, second] = files.map(({ name }) => join(directory, name));
  // With a detached header, the image is the payload.
  const detached = image.header === undefined ? {} : { header: first ?? "" };
  return {
    subject: {
      directory,
      path: (image.header === undefined ? first : second) ?? "",
      format: formatIn(kit, model).name,
      ...detached,
      ...(passphrases.length === 0 ? {} : { passphrases, ...chainIn(image) }),
    },
    image,
    judgement: judgeImage(image),
    edited: edits.length > 0,
  };
}

/** The images of a chain, if all of them open and the header is not detached. */
function chainIn(image: OpenedImage): Pick<Asked["subject"], "chain"> {
  if (image.header !== undefined) return {};
  const chain: ChainImage[] = [];
  for (let at: OpenedImage | undefined = image; at !== undefined; at = at.backing) {
    const { layer, findings } = at;
    if (layer === undefined || findings.refusal("info") !== undefined) return {};
    chain.push({ format: layer.format, encrypted: layer.encrypted });
  }
  return { chain };
}

function explained(
  { observation, message, answers, about }: Seen,
  divergences: readonly Divergence[],
): string {
  const divergence = divergences.find(({ explains }) => explains(observation));
  if (divergence !== undefined) return divergence.name;
  const kind = "malformed-answer";
  const malformed = observation.outcome === kind ? { kind } as const : {};
  throw new Failure(signatureOf(observation), message, { answers, about, ...malformed });
}

function reportOf<Model>(
  kit: Kit<Model>,
  { image, judgement }: Asked,
  { names, skipped }: { names: readonly string[]; skipped: string | undefined },
): CaseReport {
  return {
    depth: depthOf(kit, image, judgement),
    rules: judgement.findings.map(({ rule }) => rule),
    ...(names.length > 0 ? { divergences: names } : {}),
    ...(skipped === undefined ? {} : { skipped }),
  };
}
