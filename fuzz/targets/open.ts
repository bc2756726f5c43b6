import * as fc from "fast-check";
import { type ByteSource, MemorySource } from "../../src/bytes/mod.ts";
import { type Json, Marks, type Pattern, patternBytes } from "../../src/format/mod.ts";
import { anatomyOf, judgeImage } from "../../src/image/mod.ts";
import {
  assertSound,
  depthOf,
  describeModel,
  drawsOf,
  editsOf,
  evolvedEdits,
  fileOf,
  filesOf,
  isSound,
  type Kit,
  layOut,
  type OpenedCase,
  openWith,
  passphrasesOf,
  repaired,
  requireDrawn,
  sourceOf,
  targetName,
} from "../formats/mod.ts";
import {
  type CaseFile,
  type CaseReport,
  Failure,
  type Mutating,
  type Target,
  type TargetContext,
} from "../engine/mod.ts";
import { KEY_WORDS, type KeyChoice, keyChoices, patterns } from "../generate/mod.ts";
import { describeEdit, type Edit } from "../mutate/mod.ts";
import { evolvedModel, featuresIn } from "./evolved.ts";
import { excerptOf } from "./excerpt.ts";
import { assertInspected } from "./inspected.ts";
import { fromPlainJson, toPlainJson } from "./json.ts";
import { MeteredSource, startWatch } from "./metered.ts";
import { numberedFiles } from "./numbered.ts";

/** Malformed images of one sound image. */
export interface EditedCase<Model> {
  /** How the image is laid out. */
  readonly kind: string;
  /** The model that the image is built from. */
  readonly model: Model;
  /** Each is one malformed image: making a valid one costs more than judging the edited ones. */
  readonly variants: readonly Variant[];
}

/** The edits of an image, and its passphrases. */
export interface Variant {
  /** The edits, in order. */
  readonly edits: readonly Edit[];
  /** What the image is opened with. */
  readonly key: KeyChoice;
}

/** Random bytes after a magic that makes a reader look at them. */
export interface NoiseCase {
  /** Marks bytes that never were an image. */
  readonly kind: "noise";
  /** The content. */
  readonly pattern: Pattern;
  /** Length in bytes. */
  readonly length: number;
  /** They are the header of a payload. */
  readonly detached?: boolean;
  /** Members that the kit draws. */
  readonly [head: string]: Json | Pattern | undefined;
}

/** A case of `open`: malformed images of one sound image, or bytes that never were an image. */
export type OpenCase<Model = unknown> = EditedCase<Model> | NoiseCase;

const VARIANTS_MAX = 20;
const NOISE_MAX = 4096;
/** Milliseconds that judging may take: a second for each MiB of the file, and never less than one. */
const MS_PER_MIB = 1000;
/** Bytes past the end of the file that may be allocated. */
const MADE_MAX = 64 * 2 ** 20;
const MADE_RATIO = 4;
const MIB = 2 ** 20;
const ANATOMY = { rows: 20, tables: 20, entries: 100, marks: new Marks([]) };

/**
 * The property: any bytes read as a format give a verdict with findings that agree with what is read,
 * and never another exception. Work is bounded by the size of the file.
 */
export function open<Model>(kit: Kit<Model>): Target<OpenCase<Model>> {
  const kits = new Map([[kit.kind ?? "edited", kit], ...Object.entries(kit.elsewhere ?? {})]);
  const kitOf = ({ kind }: { kind: string }): Kit<Model> => kits.get(kind) ?? kit;
  const groupsOf = (value: OpenCase<Model>): CaseFile[][] => {
    const groups = isNoise(value)
      ? [noiseFiles(kit, value)]
      : value.variants.map(({ edits }) => filesOf(kitOf(value), value.model, edits));
    return groups.map(numberedFiles);
  };
  return {
    name: targetName(kit, "open"),
    says: `any bytes, opened as ${kit.format.title}, give a verdict that agrees with what can be ` +
      "read; no exception, no hang",
    weight: kit.weight ?? 1,
    cases: () => openCases(kit, kits),
    toJson: toPlainJson,
    fromJson: (json) => {
      const value = fromPlainJson(json) as NoiseCase | StoredCase<Model>;
      return isNoise(value) ? value : storedCase(value, kitOf(value));
    },
    repair: (value) => {
      if (isNoise(value)) return repairedNoise(kit, value);
      const { variants } = value;
      if (variants.length === 0) throw new TypeError("Cannot use the case: it has no variant");
      for (const { edits } of variants) repaired(kit, { model: value.model, edits });
      return repaired(kit, value);
    },
    mutate: (value, parts) => isNoise(value) ? undefined : evolved(kitOf(value), value, parts),
    part: (value, index) =>
      isNoise(value) ? value : { ...value, variants: value.variants.slice(index, index + 1) },
    files: (value) => groupsOf(value).flat(),
    describe: (value) => describeCase(value, kit),
    excerpt: (value) => {
      const own = isNoise(value) ? kit : kitOf(value);
      return groupsOf(value).map((files) => excerptOf(own, sourceOf(files))).join("\n\n");
    },
    passphrases: (value) =>
      isNoise(value)
        ? []
        : value.variants.flatMap(({ key }) => passphrasesOf(kit, value.model, key)),
    run: (value, { at }) => {
      if (isNoise(value)) {
        return judged(kit, { files: noiseFiles(kit, value), key: "none" }, { at });
      }
      const { model } = value;
      const own = kitOf(value);
      const [first, ...more] = value.variants.map(({ edits, key }, index) =>
        judged(own, { files: filesOf(own, model, edits), key, from: { model, edits } }, {
          at,
          // This would be a sixth to a quarter of the time of each image.
          inspects: index === 0,
        })
      );
      return { ...first as CaseReport, more };
    },
  };
}

/** Whether a case never was an image. */
export function isNoise(value: object): value is NoiseCase {
  return "kind" in value && value.kind === "noise";
}

function openCases<Model>(
  { noise }: Kit<Model>,
  kits: ReadonlyMap<string, Kit<Model>>,
): fc.Arbitrary<OpenCase<Model>> {
  const edited = [...kits].map(([kind, kit], index) => ({
    weight: index === 0 ? 2 : 1,
    arbitrary: editedCases(kind, kit),
  }));
  const rest = fc.record({
    pattern: patterns(),
    length: fc.nat({ max: noise?.lengthMax ?? NOISE_MAX }),
    ...(noise?.detached === true ? { detached: fc.boolean() } : {}),
  });
  const noises = fc.tuple(noise?.head ?? fc.constant({}), rest)
    .map(([head, rest]): NoiseCase => ({ kind: "noise", ...head, ...rest }));
  return fc.oneof({ weight: 24, arbitrary: fc.oneof(...edited) }, { weight: 1, arbitrary: noises });
}

function editedCases<Model>(kind: string, kit: Kit<Model>): fc.Arbitrary<EditedCase<Model>> {
  const edits = fc.oneof(
    { withCrossShrink: true },
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 15, arbitrary: arbitrariesOf(kit).draws },
  );
  const key = kit.keys?.choices("open") ?? keyChoices({ none: 1 });
  const lists = fc.array(fc.record({ draws: edits, key }), {
    minLength: 1,
    maxLength: VARIANTS_MAX,
    size: "max",
  });
  return fc.tuple(arbitrariesOf(kit).models, lists).map(([model, drawn]) => {
    const costly = kit.keys?.costly?.(model) ?? false;
    const variants = drawn.map(({ draws, key }, index): Variant => ({
      edits: editsOf(kit, model, draws),
      key: costly && index > 0 ? "none" : key,
    }));
    return { kind, model, variants };
  });
}

/** fast-check draws an edge value of a fresh model once in this many draws. */
const MODEL_BIAS = 4;

interface Arbitraries<Model> {
  readonly models: fc.Arbitrary<Model>;
  readonly draws: ReturnType<typeof drawsOf>;
}

const arbitraries = new WeakMap<Kit, Arbitraries<unknown>>();

/** What models and edits are drawn from, made once for each kit. */
function arbitrariesOf<Model>(kit: Kit<Model>): Arbitraries<Model> {
  const known = arbitraries.get(kit as Kit) as Arbitraries<Model> | undefined;
  const made = known ?? { models: kit.models("open"), draws: drawsOf(kit, "open") };
  arbitraries.set(kit as Kit, made);
  return made;
}

/** Variants of a case that is made of kept ones. */
const EVOLVED_VARIANTS = 12;

/** A case of the edits of a kept one, or of others, of a fresh model or its own. */
function evolved<Model>(
  kit: Kit<Model>,
  value: EditedCase<Model>,
  { random, others }: Mutating<OpenCase<Model>>,
): EditedCase<Model> {
  const { kind } = value;
  const isAlike = (other: OpenCase<Model>): other is EditedCase<Model> => other.kind === kind;
  const alike = others.filter(isAlike);
  const { models, draws } = arbitrariesOf(kit);
  const model = evolvedModel(value, {
    random,
    fresh: () => ({ model: models.generate(random, MODEL_BIAS).value }),
  });
  const costly = kit.keys?.costly?.(model) ?? false;
  const theirs = alike.flatMap(({ variants }) => variants.map(({ edits }) => edits));
  const count = random.nextInt(1, EVOLVED_VARIANTS);
  const variants = Array.from({ length: count }, (_, index): Variant => {
    const { edits, key } = value.variants[index % value.variants.length] as Variant;
    return {
      edits: evolvedEdits(kit, { model, edits }, { draws, random, others: theirs }),
      key: costly && index > 0 ? "none" : key,
    };
  });
  return { kind, model, variants };
}

/** A case as a release may have stored it: with edits alone where a format had no choice of keys. */
interface StoredCase<Model> extends Omit<EditedCase<Model>, "variants"> {
  readonly variants: readonly (Variant | readonly Edit[])[];
}

function storedCase<Model>(
  { kind, model, variants }: StoredCase<Model>,
  { keys, edits: { stored = (edit: Edit) => edit } = {} }: Kit<Model>,
): EditedCase<Model> {
  const costly = keys?.costly?.(model) === true;
  return {
    kind,
    model,
    variants: variants.map((variant, index): Variant => {
      if ("key" in variant) return { ...variant, edits: variant.edits.map(stored) };
      return { edits: variant.map(stored), key: costly && index > 0 ? "none" : "right" };
    }),
  };
}

function repairedNoise<Model>(kit: Kit<Model>, value: NoiseCase): NoiseCase {
  const { kind: _, pattern, length, detached: __, ...head } = value;
  requireDrawn(pattern, patterns());
  requireDrawn(length, fc.nat());
  requireDrawn(head, kit.noise?.head ?? fc.constant({}));
  return value;
}

function noiseFiles<Model>(kit: Kit<Model>, value: NoiseCase): CaseFile[] {
  const { kind: _, pattern, length, detached = false, ...head } = value;
  const bytes = patternBytes(pattern, length).slice();
  kit.noise?.write(head as { [name: string]: Json }, bytes);
  const files = [{ name: fileOf(kit), source: new MemorySource(bytes) }];
  if (!detached) return files;
  return [...files, {
    name: "payload.raw",
    source: new MemorySource(bytes.subarray(Math.floor(length / 2))),
  }];
}

function describeCase<Model>(value: OpenCase<Model>, kit: Kit<Model>): string {
  if (isNoise(value)) {
    const { kind: _, pattern, length, detached: __, ...head } = value;
    return `${length} bytes of ${pattern.kind} after ${JSON.stringify(head)}`;
  }
  const { kind, model, variants } = value;
  const where = kit.elsewhere?.[kind] === undefined ? "" : ` ${kind} another image`;
  const texts = variants.map(({ edits, key }) =>
    [
      ...edits.map(describeEdit),
      ...(kit.keys === undefined ? [] : [`opened with ${KEY_WORDS[key]}`]),
    ]
      .join("\n")
  );
  return [`${describeModel(kit, model)}${where}`, texts.join("\nor\n")].join("\n");
}

/** Judges one image, and compares what that costs with the size of the image. */
export function judged<Model>(
  kit: Kit<Model>,
  opened: OpenedCase<Model>,
  { at, inspects = true }: { at?: TargetContext["at"] | undefined; inspects?: boolean } = {},
): CaseReport {
  const { files, key, from } = opened;
  const passphrases = from === undefined ? [] : passphrasesOf(kit, from.model, key);
  const extraMs = passphrases.length === 0 ? 0 : kit.keys?.milliseconds ?? 0;
  const { image, judgement } = assertBounded(sourceOf(files), extraMs, (source) => {
    const metered = files.map((file, index) => index === 0 ? { ...file, source } : file);
    at?.("open");
    const image = openWith(kit, metered, passphrases);
    at?.("judge");
    const judgement = judgeImage(image);
    if (inspects) {
      at?.("inspect");
      const anatomy = anatomyOf(image, ANATOMY);
      // Nothing of a disk without a sector is mapped.
      if (from?.edits.length === 0 && (image.layer?.virtualSize ?? 0) > 0) {
        assertInspected(anatomy, layOut(kit, from.model).image.placed, judgement.findings);
      }
    }
    return { image, judgement };
  });
  at?.("compare");
  const refusal = image.findings.refusal("read");
  if ((judgement.cryptsetup ?? judgement.qemu).open === "accept" && refusal !== undefined) {
    throw new Failure(`open.accepted.${refusal.rule}`, `It is accepted: ${refusal.message}`, {
      about: { path: refusal.path },
    });
  }
  kit.agrees?.(image, opened);
  if (from !== undefined && isSound(kit, from.model, from.edits)) {
    assertSound(kit, image, { model: from.model, key });
  }
  return {
    depth: depthOf(kit, image, judgement),
    rules: judgement.findings.map(({ rule }) => rule),
    features: featuresIn(judgement),
  };
}

/**
 * Compares the cost of judging with the size of the image.
 *
 * @param extraMs milliseconds that it may take beyond that
 * @throws {Failure} when it took too long, or made too many bytes
 */
function assertBounded<Result>(
  bytes: ByteSource,
  extraMs: number,
  judge: (source: ByteSource) => Result,
): Result {
  const source = new MeteredSource(bytes);
  const watch = startWatch();
  const result = judge(source);
  const spent = watch();
  const mib = Math.max(1, source.size / MIB);
  if (spent > MS_PER_MIB * mib + extraMs) {
    throw new Failure("open.slow", `Judging ${source.size} bytes took ${Math.round(spent)} ms`);
  }
  if (source.made > MADE_MAX + MADE_RATIO * source.size) {
    throw new Failure(
      "open.memory",
      `${source.made} bytes were allocated for a file of ${source.size}`,
    );
  }
  return result;
}
