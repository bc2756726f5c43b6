import * as fc from "fast-check";
import type { ByteSource } from "../../src/bytes/mod.ts";
import { type BuiltImage, type Pattern, patternBytes } from "../../src/format/mod.ts";
import { judgeImage, type Judgement, type KeyOptions, openBytes } from "../../src/image/mod.ts";
import { buildQcow1, type Qcow1Model } from "../../src/qcow1/mod.ts";
import { buildQcow2 } from "../../src/qcow2/build/mod.ts";
import { type Qcow2Model, QCOW_MAGIC } from "../../src/qcow2/mod.ts";
import { type CaseReport, type Depth, Failure, type Target } from "../engine/target.ts";
import { qcow1Models } from "../formats/qcow1/models.ts";
import { qcow2Models } from "../formats/qcow2/models.ts";
import { patterns } from "../generate/values.ts";
import {
  applyEdits,
  describeEdit,
  type Edit,
  type EditDraw,
  editLists,
  resolveDraws,
} from "../mutate/mod.ts";
import { MeteredSource } from "./content.ts";
import { excerptOfImage } from "./excerpt.ts";
import { fromPlainJson, toPlainJson } from "./json.ts";
import { chainKeys, chainPassphrases } from "./keys.ts";
import { describeImage } from "./roundtrip.ts";

/** Malformed images: a sound one and what was done to it, or bytes that never were one. */
export type OpenCase =
  | {
    readonly kind: "edited";
    readonly model: Qcow1Model | Qcow2Model;
    /** Each is one malformed image: making a sound one costs more than judging what becomes of it. */
    readonly variants: readonly (readonly Edit[])[];
  }
  /** The magic, a version, and bytes that mean nothing. */
  | {
    readonly kind: "noise";
    readonly version: number;
    readonly pattern: Pattern;
    readonly length: number;
  };

/** Malformed images of one sound image. */
const VARIANTS_MAX = 12;
/** Milliseconds that judging may take: a second for each MiB of the file, and never less than one. */
const MS_PER_MIB = 1000;
/** Milliseconds for trying a passphrase on top: slow hashes have eight slots to go through. */
const KEY_MS = 8000;
/** Bytes past the end of the file that may be made for the reader. */
const MADE_MAX = 64 * 2 ** 20;
const MADE_RATIO = 4;
const MIB = 2 ** 20;

const SOME = { encryption: "some" } as const;
/** Large clusters and long tables cost time and find nothing that small ones do not. */
const SMALL = { clusterBitsMax: 16, limits: { l1Bytes: 4096 } } as const;

/** Any bytes read as qcow version 1: a verdict with findings or an image, and never anything else. */
export const qcowOpen: Target<OpenCase> = openTarget("qcow-open", "qcow", qcow1Models(SOME));

/** The same for qcow2. */
export const qcow2Open: Target<OpenCase> = openTarget(
  "qcow2-open",
  "qcow2",
  // A key slot takes as long as all else that is done with an image.
  fc.oneof(
    { weight: 2, arbitrary: qcow2Models(SMALL) },
    { weight: 1, arbitrary: qcow2Models({ ...SMALL, ...SOME }) },
  ),
);

function openTarget(
  name: string,
  format: "qcow" | "qcow2",
  models: fc.Arbitrary<Qcow1Model | Qcow2Model>,
): Target<OpenCase> {
  return {
    name,
    says: `any bytes read as ${format}: a verdict with findings, and no other exception or hang`,
    weight: format === "qcow2" ? 2 : 1,
    cases: () => openCases(models, format),
    toJson: toPlainJson,
    fromJson: (json) => fromPlainJson(json) as OpenCase,
    files: (
      value,
    ) => imagesOf(value).map((source, index) => ({ name: `image-${index}.${format}`, source })),
    describe: describeCase,
    excerpt: (value) =>
      imagesOf(value).map((source) => excerptOfImage(source, format)).join("\n\n"),
    passphrases: (value) => value.kind === "noise" ? [] : chainPassphrases([value.model]),
    run: (value) => runOpen(value, format),
  };
}

function openCases(
  models: fc.Arbitrary<Qcow1Model | Qcow2Model>,
  format: "qcow" | "qcow2",
): fc.Arbitrary<OpenCase> {
  const lists = fc.array(editLists(), { minLength: 1, maxLength: VARIANTS_MAX, size: "max" });
  const edited = fc.tuple(models, lists).map(([model, draws]) => editedCase(model, draws));
  const noise = fc.record({
    kind: fc.constant("noise" as const),
    version: format === "qcow" ? fc.constant(1) : fc.constantFrom(2, 3),
    pattern: patterns(),
    length: fc.nat({ max: 4096 }),
  });
  return fc.oneof({ weight: 24, arbitrary: edited }, { weight: 1, arbitrary: noise });
}

const lastBuilt = new WeakMap<object, BuiltImage>();

/** The edits of a case name places, so that it can be read and stored; the draws only picked them. */
function editedCase(
  model: Qcow1Model | Qcow2Model,
  lists: readonly (readonly EditDraw[])[],
): OpenCase {
  const built = build(model);
  lastBuilt.set(model, built);
  const variants = lists.map((draws) => resolveDraws(built, draws, 2 ** model.clusterBits));
  return { kind: "edited", model, variants };
}

function build(model: Qcow1Model | Qcow2Model): BuiltImage {
  return model.format === "qcow" ? buildQcow1(model) : buildQcow2(model).image;
}

function builtOf(value: OpenCase): BuiltImage {
  if (value.kind === "edited") return lastBuilt.get(value.model) ?? build(value.model);
  const bytes = patternBytes(value.pattern, value.length);
  const view = new DataView(bytes.buffer);
  if (bytes.length >= 8) {
    view.setUint32(0, QCOW_MAGIC);
    view.setUint32(4, value.version);
  }
  return { segments: [{ offset: 0, bytes }], size: bytes.length, placed: [] };
}

/** The malformed images of a case. */
function imagesOf(value: OpenCase): ByteSource[] {
  const built = builtOf(value);
  if (value.kind === "noise") return [applyEdits(built, [])];
  return value.variants.map((edits) => applyEdits(built, edits));
}

function describeCase(value: OpenCase): string {
  if (value.kind === "noise") {
    return `${value.length} bytes of ${value.pattern.kind} behind the magic`;
  }
  const variants = value.variants.map((edits) => edits.map(describeEdit).join("\n"));
  return [describeImage(value.model), variants.join("\nor\n")].join("\n");
}

function runOpen(value: OpenCase, format: "qcow" | "qcow2"): CaseReport {
  const [first, ...more] = imagesOf(value).map((source, index) =>
    judgeBounded(source, format, keysOf(value, index))
  );
  return { ...first as CaseReport, more };
}

/** A key slot is tried on the first image of a case alone: that takes longer than all the others. */
function keysOf(value: OpenCase, index: number): KeyOptions {
  if (value.kind === "noise") return {};
  const costly = value.model.encryption?.kind === "luks";
  return costly && index > 0 ? {} : chainKeys([value.model]);
}

/** Judges one image, and holds what that costs against the image's size. */
export function judgeBounded(
  bytes: ByteSource,
  format: "qcow" | "qcow2",
  keys: KeyOptions = {},
): CaseReport {
  const extraMs = (keys.passphrases ?? []).length === 0 ? 0 : KEY_MS;
  const judge = (source: ByteSource): Judgement => judgeImage(openBytes(source, format, keys));
  const judgement = assertBounded(bytes, { extraMs, judge });
  return { depth: depthOf(judgement), rules: judgement.findings.map((finding) => finding.rule) };
}

/**
 * Holds what judging costs against the size of what is judged.
 *
 * @param options.extraMs milliseconds that it may take beyond that
 * @throws {Failure} when it took too long, or made too many bytes
 */
export function assertBounded<Result>(
  bytes: ByteSource,
  { extraMs, judge }: { extraMs: number; judge: (source: ByteSource) => Result },
): Result {
  const source = new MeteredSource(bytes);
  const started = performance.now();
  const result = judge(source);
  const spent = performance.now() - started;
  const mib = Math.max(1, source.size / MIB);
  if (spent > MS_PER_MIB * mib + extraMs) {
    throw new Failure("open.slow", `Judging ${source.size} bytes took ${Math.round(spent)} ms`);
  }
  if (source.made > MADE_MAX + MADE_RATIO * source.size) {
    throw new Failure("open.memory", `${source.made} bytes were made of a file of ${source.size}`);
  }
  return result;
}

/** Rules on what an open reads beyond the header: a case that breaks one has got past the header. */
const TABLE_RULES = /^qcow[12]\.(snap|bitmap|l1e|l2|l2e|refblock|check)\./;

/** How far a reader gets into an image. */
export function depthOf(judgement: Judgement): Depth {
  const { findings, qemu } = judgement;
  const broken = findings.filter((finding) => finding.effect !== "ignored");
  if (qemu.open === "reject") {
    const refusal = broken.find((finding) => finding.effect === "refused-at-open");
    return refusal !== undefined && TABLE_RULES.test(refusal.rule) ? "tables" : "header";
  }
  const tables = broken.some((finding) => {
    return TABLE_RULES.test(finding.rule) && finding.effect !== "warning" &&
      finding.effect !== "leak";
  });
  if (tables) return "tables";
  return qemu.read === "error" ? "data" : "accepted";
}
