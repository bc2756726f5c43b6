import * as fc from "fast-check";
import { join } from "node:path";
import type { ByteSource } from "../../src/bytes/mod.ts";
import { imagesOf, judgeImage, type OpenedImage } from "../../src/image/mod.ts";
import {
  type Asked,
  type Divergence,
  hasFarHole,
  openedChain,
  type Seen,
  signatureOf,
  Toolbox,
  writeDensely,
  writtenSize,
} from "../compare/mod.ts";
import {
  type CaseFile,
  type CaseReport,
  Failure,
  type Mutating,
  type Target,
} from "../engine/mod.ts";
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
import { evolvedModel, featuresIn, furtherEdits } from "./evolved.ts";
import { excerptOf } from "./excerpt.ts";
import { fromPlainJson, toPlainJson } from "./json.ts";
import { numberedFiles } from "./numbered.ts";

/** Images of one model: making it takes longer than comparing several of them. */
const VARIANTS_MIN = 4;
const VARIANTS_MAX = 8;

/** A case of `differential`: an image, its edits, and the question. */
export interface DifferentialCase<Model = unknown> extends ComparedVariant {
  /** The model that the image is built from. */
  readonly model: Model;
  /** Further images of the same model: building it costs more than comparing it. */
  readonly more?: readonly ComparedVariant[];
}

/** An image of a model, and the question about it. */
export interface ComparedVariant {
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
    mutate: (value, parts) => evolved(kit, value, parts),
    part: ({ model, ...value }, index) => {
      const { [index]: variant = value } = variantsOf(value);
      return { model, edits: variant.edits, key: variant.key, ask: variant.ask };
    },
    repair: (value) => {
      for (const { edits } of value.more ?? []) repaired(kit, { model: value.model, edits });
      return repaired(kit, value);
    },
    files: ({ model, ...value }) => {
      const groups = variantsOf(value).map(({ edits }) => filesOf(kit, model, edits));
      return groups.length === 1 ? groups.flat() : groups.flatMap(numberedFiles);
    },
    describe: ({ model, ...value }) => {
      const texts = variantsOf(value).map(({ edits, key, ask }) =>
        [
          ...edits.map(describeEdit),
          ...(kit.keys === undefined ? [] : [`opened with ${KEY_WORDS[key]}`]),
          `question: ${ask}`,
        ].join("\n")
      );
      return [describeModel(kit, model), texts.join("\nor\n")].join("\n");
    },
    excerpt: ({ model, ...value }, about) =>
      variantsOf(value).map(({ edits }) =>
        excerptOf(kit, sourceOf(filesOf(kit, model, edits)), { about, model })
      ).join("\n\n"),
    passphrases: ({ model, ...value }) => [
      ...new Set(variantsOf(value).flatMap(({ key }) => passphrasesOf(kit, model, key))),
    ],
    run: async (value, context) => {
      const { model, ...variants } = value;
      const tooling = toolbox ??= new Toolbox(context, tools.timeoutMs);
      const { directory } = context;
      const more = stored.has(value) ? Object.keys(tools.asks) : [];
      const asking = { more, toolbox: tooling, directory, written: new Map() };
      // They are compared at the same time, so that qemu-io reads them in one batch.
      const comparing = variantsOf(variants).map((variant, index) =>
        compared(kit, { ...variant, model }, { ...asking, index })
      );
      const settled = Promise.allSettled(comparing);
      try {
        const reports: CaseReport[] = [];
        for (const report of comparing) reports.push(await report);
        const [first, ...others] = reports;
        return { ...first as CaseReport, more: others };
      } catch (error) {
        // The others may wait for a tool that hangs.
        if (await isLate(settled)) {
          toolbox = undefined;
          await tooling.close();
          await settled;
        }
        throw error;
      }
    },
    async stop() {
      const closing = toolbox;
      toolbox = undefined;
      await closing?.close();
    },
  };
}

/** How long the other images of a case that fails may take, in milliseconds. */
const OTHERS_MS = 500;

/** Whether this does not settle soon. */
async function isLate(settled: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), OTHERS_MS);
  });
  const isLate = await Promise.race([settled.then(() => false), late]);
  clearTimeout(timer);
  return isLate;
}

/** The images of a case. */
function variantsOf(
  { more = [], ...first }: Omit<DifferentialCase, "model">,
): readonly ComparedVariant[] {
  return [first, ...more];
}

/** How the images of a case are compared. */
interface Asking {
  /** Questions that are asked besides that of the image. */
  readonly more: readonly string[];
  readonly toolbox: Toolbox;
  readonly directory: string;
  /** The files in the directory, by name. */
  readonly written: Map<string, ByteSource>;
  /** The place of the image in its case. */
  readonly index: number;
}

/** Compares one image. */
async function compared<Model>(
  kit: Kit<Model> & { readonly tools: ToolKit },
  value: ComparedVariant & { readonly model: Model },
  { more, toolbox, directory, written, index }: Asking,
): Promise<CaseReport> {
  const { tools } = kit;
  const files = filesOf(kit, value.model, value.edits).map((file, place) =>
    // Only the first file differs between the images of a case.
    place > 0 || index === 0 ? file : { ...file, name: `${index}-${file.name}` }
  );
  if (files.some(({ source }) => isTooLarge(source, tools.fileMax))) {
    return { depth: "header", rules: [], skipped: "the image file is too large to write" };
  }
  if (!isWritten(files, { directory, written })) {
    const skipped = "the file system has no files of the length of the image";
    return { depth: "header", rules: [], skipped };
  }
  const asked = openedCase(kit, value, { files, directory });
  const { skipped, seen } = await tools.compare(asked, value.ask, toolbox);
  const names = seen.map((difference) => explained(difference, tools.divergences));
  for (const ask of more.filter((name) => name !== value.ask)) {
    for (const difference of (await tools.compare(asked, ask, toolbox)).seen) {
      explained(difference, tools.divergences);
    }
  }
  return reportOf(kit, asked, { names, skipped, ask: value.ask });
}

/** Whether a file is too large to write. Of one with a far hole, headers are written twice as large. */
function isTooLarge(source: ByteSource, fileMax = Infinity): boolean {
  if (source.size <= fileMax) return false;
  return !hasFarHole(source) || writtenSize(source) > 2 * fileMax;
}

/** The error EFBIG, as Node and Deno name it. */
const FILE_TOO_LARGE = /EFBIG|os error 27/;

/** Writes the files of a case, if the file system can have files of their length. */
function isWritten(
  files: readonly CaseFile[],
  { directory, written }: Pick<Asking, "directory" | "written">,
): boolean {
  try {
    for (const { name, source } of files) {
      if (written.get(name) === source) continue;
      written.delete(name);
      writeDensely(join(directory, name), source);
      written.set(name, source);
    }
    return true;
  } catch (error) {
    if (error instanceof Error && FILE_TOO_LARGE.test(error.message)) return false;
    throw error;
  }
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
  const variants = fc.array(fc.record({ draws: edits, key, ask }), {
    minLength: VARIANTS_MIN,
    maxLength: VARIANTS_MAX,
    size: "max",
  });
  return fc.tuple(kit.models("differential"), variants).map(([model, drawn]) => {
    const [first, ...more] = drawn.map(({ draws, key, ask }): ComparedVariant => ({
      edits: editsOf(kit, model, draws),
      key,
      ask,
    }));
    return { model, ...first as ComparedVariant, ...(more.length === 0 ? {} : { more }) };
  });
}

/** The usual question is as frequent as others with this weight: kept cases have shown something new. */
const EVOLVED_WEIGHT_MAX = 4;

/** A case of the edits of a kept one, or of others, of a fresh model or its own. */
function evolved<Model>(
  kit: Kit<Model> & { readonly tools: ToolKit },
  value: DifferentialCase<Model>,
  parts: Mutating<DifferentialCase<Model>>,
): DifferentialCase<Model> {
  const { random } = parts;
  const model = evolvedModel(value, parts);
  const asks = Object.entries(kit.tools.asks).flatMap(([name, weight]) =>
    Array<string>(Math.min(weight, EVOLVED_WEIGHT_MAX)).fill(name)
  );
  const variants = variantsOf(value);
  const count = random.nextInt(1, VARIANTS_MAX);
  const [first = value, ...more] = Array.from({ length: count }, (_, index): ComparedVariant => {
    const { edits, key, ask } = variants[index % variants.length] ?? value;
    return {
      edits: furtherEdits(kit, "differential", { model, edits }, parts),
      key,
      ask: asks[random.nextInt(0, asks.length - 1)] ?? ask,
    };
  });
  const { edits, key, ask } = first;
  return { model, edits, key, ask, ...(more.length === 0 ? {} : { more }) };
}

/** A case as stored by any release. */
type StoredCase<Model> =
  & Partial<Omit<DifferentialCase<Model>, "model">>
  & ({ readonly model: Model } | { readonly chain: Model });

function storedCase<Model>(
  kit: Kit<Model> & { readonly tools: ToolKit },
  value: StoredCase<Model>,
): DifferentialCase<Model> {
  const { edits, key = "right", ask = Object.keys(kit.tools.asks)[0] ?? "", more = [] } = value;
  // A case without the edits of its first image, which were dropped, starts with the next one.
  const [first, ...rest] = [...edits === undefined ? [] : [{ edits, key, ask }], ...more]
    .map(({ edits, key, ask }): ComparedVariant => ({
      edits: edits.map((edit) => kit.edits?.stored?.(edit) ?? edit),
      key,
      ask,
    }));
  if (first === undefined) throw new TypeError("Cannot use the case: it has no image");
  const model = "chain" in value ? value.chain : value.model;
  return { model, ...first, ...(rest.length === 0 ? {} : { more: rest }) };
}

/** Opens the files of an image as the reference does. */
function openedCase<Model>(
  kit: Kit<Model>,
  { model, edits, key }: ComparedVariant & { readonly model: Model },
  { files, directory }: { files: readonly CaseFile[]; directory: string },
): Asked {
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
  const isRejected = ({ layer, findings }: OpenedImage): boolean =>
    layer === undefined || findings.refusal("info") !== undefined;
  return [...imagesOf(image)].some(isRejected) ? {} : { chain: openedChain(image) };
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
  { names, skipped, ask }: {
    names: readonly string[];
    skipped: string | undefined;
    ask: string;
  },
): CaseReport {
  return {
    depth: depthOf(kit, image, judgement),
    rules: judgement.findings.map(({ rule }) => rule),
    features: featuresIn(judgement).map((feature) => `${ask} ${feature}`),
    ...(names.length > 0 ? { divergences: names } : {}),
    ...(skipped === undefined ? {} : { skipped }),
  };
}
