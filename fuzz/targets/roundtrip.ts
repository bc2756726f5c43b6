import * as fc from "fast-check";
import { MemorySource } from "../../src/bytes/mod.ts";
import { type Format, type MapEntry, remembering } from "../../src/format/mod.ts";
import { formats } from "../../src/formats.ts";
import {
  type CheckJson,
  detect,
  judgeImage,
  type Judgement,
  layersOf,
  mapOf,
  type OpenedImage,
  probe,
} from "../../src/image/mod.ts";
import { checkOutcome, checkReport, compareJson, mergeMap } from "../../src/peers/mod.ts";
import { type Finding, type RuleId, ruleOf } from "../../src/rules/mod.ts";
import { anyIndex } from "../compare/mod.ts";
import { type CaseFile, type CaseReport, Failure, type Target } from "../engine/mod.ts";
import {
  allPassphrases,
  assertDisk,
  assertSound,
  describeModel,
  drawsOf,
  editsOf,
  filesOf,
  formatIn,
  isSound,
  type Kit,
  layOut,
  openWith,
  passphrasesOf,
  repaired,
  requireDrawn,
  sourceOf,
  targetName,
} from "../formats/mod.ts";
import { KEY_WORDS, type KeyChoice, strangePassphrase } from "../generate/mod.ts";
import { describeEdit, type Edit } from "../mutate/mod.ts";
import { excerptOf } from "./excerpt.ts";
import { fromPlainJson, toPlainJson } from "./json.ts";

/** A case of `roundtrip`: a sound image, and what is done to it that leaves it sound. */
export interface RoundtripCase<Model = unknown> {
  /** The model that the image is built from. */
  readonly model: Model;
  /** Damage that a reader gets over. */
  readonly edits: readonly Edit[];
  /** What the damaged image is opened with. */
  readonly key: KeyChoice;
  /** Changes of its keys, as its format has them. */
  readonly changes?: readonly unknown[];
}

/** Images of which it is known that they are as their models say. */
const KNOWN_MAX = 2 ** 12;
/** Bytes of files that are read from memory; longer ones are made of segments. */
const IN_MEMORY_MAX = 2 ** 16;

/**
 * The property: what is built of a model reads back as the model says, and nothing is wrong with it;
 * and the same after what has to leave it sound.
 *
 * What costs time with encrypted images is to try a passphrase. So an image of a format that is
 * `remembered` is tried once as it was built, and after that only what is done to it.
 */
export function roundtrip<Model>(
  kit: Kit<Model>,
): Target<RoundtripCase<Model>> {
  const rulesOfSound = (model: Model) => assertAsBuilt(kit, model);
  const rules = kit.keys?.remembered === true
    ? remembering(rulesOfSound, { sizeOf: () => 1, sizeMax: KNOWN_MAX })
    : rulesOfSound;
  return {
    name: targetName(kit, "roundtrip"),
    says: "a generated image reads back as its model says, judges valid and checks clean",
    weight: kit.weight ?? 1,
    cases: () => roundtripCases(kit),
    toJson: toPlainJson,
    fromJson: (json) => storedCase(kit, fromPlainJson(json) as StoredCase<Model>),
    repair: (value) => {
      const whole = repaired(kit, value);
      const { changes } = kit.keys ?? {};
      if (whole.changes?.length) requireDrawn(whole.changes, changes?.draws() ?? fc.constant([]));
      if (isSound(kit, whole.model, whole.edits)) return whole;
      throw new TypeError("Cannot use the case: the image is not sound");
    },
    files: ({ model, edits }) => filesOf(kit, model, edits),
    describe: (value) => describeCase(kit, value),
    excerpt: ({ model, edits }, about) =>
      excerptOf(kit, sourceOf(filesOf(kit, model, edits)), { about, model }),
    passphrases: ({ model }) => allPassphrases(kit, model),
    run: ({ model, edits, key, changes = [] }): CaseReport => {
      const found = rules(model);
      const changed = changes.length === 0 ? undefined : kit.keys?.changes?.run(model, changes);
      if (changed !== undefined) assertUnbroken(judgeImage(openWith(kit, changed)));
      if (edits.length === 0) return { depth: "accepted", rules: found };
      const files = filesOf(kit, model, edits);
      assertDetected(files, formatIn(kit, model));
      const image = openWith(kit, files, passphrasesOf(kit, model, key));
      const judgement = judgeImage(image);
      const damaged = assertUnbroken(judgement, kit.expected?.damage ?? []);
      assertSound(kit, image, { model, key });
      assertAnswers(kit, image, { model, judgement, damaged: true });
      return { depth: key === "right" ? "accepted" : "data", rules: damaged };
    },
  };
}

function roundtripCases<Model>(kit: Kit<Model>): fc.Arbitrary<RoundtripCase<Model>> {
  const { keys } = kit;
  const model = kit.models("roundtrip");
  if (kit.sound === undefined) {
    return fc.record({
      model,
      edits: fc.constant([]),
      key: fc.constant<KeyChoice>("right"),
      ...(keys?.changes === undefined ? {} : { changes: keys.changes.draws() }),
    });
  }
  const damage = fc.oneof(
    { withCrossShrink: true },
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 15, arbitrary: drawsOf(kit, "roundtrip") },
  );
  const key = fc.constantFrom<KeyChoice>("none", "none", "right");
  return fc.tuple(model, damage, key).map(([model, draws, key]) => {
    const edits = editsOf(kit, model, draws);
    return { model, edits: isSound(kit, model, edits) ? edits : [], key };
  });
}

/** A case as a release may have stored it. */
type StoredCase<Model> =
  & Partial<Pick<RoundtripCase<Model>, "edits" | "key" | "changes">>
  & ({ readonly model: Model } | { readonly chain: Model });

function storedCase<Model>(kit: Kit<Model>, value: StoredCase<Model>): RoundtripCase<Model> {
  const { edits = [], key = "right", changes } = value;
  return {
    model: "chain" in value ? value.chain : value.model,
    edits: edits.map((edit) => kit.edits?.stored?.(edit) ?? edit),
    key,
    ...(changes === undefined ? {} : { changes }),
  };
}

function describeCase<Model>(
  kit: Kit<Model>,
  { model, edits, key, changes = [] }: RoundtripCase<Model>,
): string {
  return [
    describeModel(kit, model),
    ...edits.map(describeEdit),
    ...(edits.length === 0 ? [] : [`opened with ${KEY_WORDS[key]}`]),
    ...changes.map((change) => kit.keys?.changes?.describe(change) ?? JSON.stringify(change)),
  ].join("\n");
}

/** @returns the rules that an image breaks which is as it was built, and as its model says */
function assertAsBuilt<Model>(kit: Kit<Model>, model: Model): readonly RuleId[] {
  const files = filesOf(kit, model).map(inMemory);
  assertDetected(files, formatIn(kit, model));
  const image = openWith(kit, files, attemptedOn(kit, model));
  const judgement = judgeImage(image);
  const rules = assertUnbroken(judgement);
  assertBroken(judgement, kit.expected?.broken?.(model, layOut(kit, model).image));
  if (kit.expected?.opensInQemu === true) assertOpensInQemu(image, judgement);
  assertSound(kit, image, { model, key: "right" });
  assertAnswers(kit, image, { model, judgement });
  assertViews(kit, image, model);
  assertListed(kit, image, model);
  kit.keys?.sound?.(sourceOf(files), model);
  return rules;
}

/** A short file as one that is read from a buffer. */
function inMemory({ name, source }: CaseFile): CaseFile {
  if (source.size > IN_MEMORY_MAX) return { name, source };
  return { name, source: new MemorySource(source.read(0, source.size)) };
}

/** The right passphrases; of a volume with one key, after one that opens nothing. */
function attemptedOn<Model>(kit: Kit<Model>, model: Model): readonly string[] {
  const right = passphrasesOf(kit, model, "right");
  const all = allPassphrases(kit, model);
  // Attempts on more keys are more work than a reader is allowed.
  if (kit.keys?.remembered !== true || all.length > 1) return right;
  return [strangePassphrase(all), ...right];
}

/** @throws {Failure} where an image is not detected as one of its format */
function assertDetected(files: readonly CaseFile[], format: Format): void {
  const known = formats.includes(format) ? formats : [format, ...formats];
  const probed = probe(sourceOf(files), { formats: known });
  // What QEMU does not know is raw to it.
  const detected = probed === format ? probed : detect(sourceOf(files), { formats: known });
  if (detected === format) return;
  const message = `The image is detected as ${detected.name}`;
  throw new Failure(`roundtrip.detected.${detected.name}`, message);
}

/**
 * The rules that an image breaks, of which none is one of the format that has to be kept.
 *
 * @param besides rules that may be broken
 * @throws {Failure} where another one is
 */
function assertUnbroken(
  { findings }: Judgement,
  besides: readonly RuleId[] = [],
): readonly RuleId[] {
  const broken = findings.find((finding) => isBroken(finding) && !besides.includes(finding.rule));
  if (broken === undefined) return findings.map(({ rule }) => rule);
  throw new Failure(`roundtrip.${broken.rule}`, `${broken.path}: ${broken.message}`, {
    about: { path: broken.path, ...offsetOf(broken) },
  });
}

/** @throws {Failure} where a rule is broken that is kept, or the other way round */
function assertBroken(
  { findings }: Judgement,
  expected: ReadonlyMap<RuleId, boolean | undefined> | undefined,
): void {
  if (expected === undefined) return;
  const found = new Map(findings.map((finding) => [finding.rule, finding]));
  for (const [rule, finding] of found) {
    if (expected.get(rule) !== false && expected.has(rule)) continue;
    throw new Failure(`roundtrip.${rule}.unexpected`, `${finding.path}: ${finding.message}`, {
      about: { path: finding.path, ...offsetOf(finding) },
    });
  }
  for (const [rule, isBroken] of expected) {
    if (isBroken !== true || found.has(rule)) continue;
    throw new Failure(`roundtrip.${rule}.missing`, `The image breaks ${rule}, which is not found`);
  }
}

/** What a writer makes is not so much work that a reader gives up. */
const WORK: RuleId = "diskproof.work.budget";

function isBroken({ rule }: Finding): boolean {
  if (rule === WORK) return true;
  const { class: ruleClass, level } = ruleOf(rule);
  return ruleClass === "spec" && level === "must";
}

function offsetOf({ offset }: Finding): { offset?: number } {
  return typeof offset === "number" ? { offset } : {};
}

function assertOpensInQemu(
  image: OpenedImage,
  { qemu: { open, read }, findings }: Judgement,
): void {
  if (open === "accept" && read === "ok") return;
  const refusal = image.findings.refusal("read") ??
    findings.find(({ effect }) => effect === "fails-at-access");
  throw new Failure(
    `roundtrip.rejected.${refusal?.rule ?? read}`,
    refusal?.message ?? `Opening: ${open}, reading: ${read}`,
    refusal === undefined ? {} : { about: { path: refusal.path, ...offsetOf(refusal) } },
  );
}

/** `info`, `map` and `check` say what follows from the model. */
function assertAnswers<Model>(
  { expected }: Kit<Model>,
  image: OpenedImage,
  { model, judgement: { qemu }, damaged = false }: {
    model: Model;
    judgement: Judgement;
    damaged?: boolean;
  },
): void {
  const data = image.layer?.info()["format-specific"]?.data ?? {};
  const info = expected?.info?.(model);
  if (info !== undefined) {
    // Which copies of a damaged header there are is not known.
    const left = damaged ? expected?.infoOfDamage ?? [] : [];
    const known = Object.entries(info).map(([name, value]) =>
      [name, left.includes(name) ? data[name] ?? null : value] as const
    );
    assertSameJson("info", data, Object.fromEntries(known));
  }
  const map = expected?.map?.(model);
  if (map !== undefined && image.layer?.unlocked !== false) {
    assertSameJson("map", mergeMap(mapOf(image).entries).map(plainEntry), map.map(plainEntry));
  }
  const check = expected?.check?.(model);
  if (check === undefined || damaged) return;
  assertSameJson("check", qemu.check === null ? unjudged(image) : answerOf(qemu.check), check);
}

/** What `check` says of an image, which the judge has checked, too. */
function answerOf({ "check-errors": checkErrors, ...counts }: CheckJson): CheckAnswer {
  return { exitCode: checkReport({ ...counts, checkErrors }).exitCode, leaks: counts.leaks };
}

/** What `check` says of an image that the judge has not checked. */
function unjudged(image: OpenedImage): CheckAnswer {
  const outcome = checkOutcome(image);
  if (outcome.outcome !== "accepted") return { outcome: outcome.outcome };
  return { exitCode: outcome.value.exitCode, leaks: outcome.value.counts?.leaks ?? 0 };
}

type CheckAnswer = { readonly [name: string]: string | number };

function plainEntry({ start, length, depth, zero, data }: Pick<MapEntry, MapMember>) {
  return { start, length, depth, zero, data };
}

type MapMember = "start" | "length" | "depth" | "zero" | "data";

type JsonValue = Parameters<typeof compareJson>[0];

function assertSameJson(question: string, ours: JsonValue, expected: JsonValue): void {
  const [differs] = compareJson(ours, expected);
  if (differs === undefined) return;
  const { path, left, right } = differs;
  throw new Failure(`roundtrip.${question}.${anyIndex(path)}`, `${question} differs at ${path}`, {
    answers: [
      { by: "reference", text: `${path}: ${JSON.stringify(left)}` },
      { by: "model", text: `${path}: ${JSON.stringify(right)}` },
    ],
    about: { path },
  });
}

/** Marks of a bitmap that are compared. */
const MARKS_MAX = 64;

/** The snapshots and bitmaps of an image are those of its model. */
function assertListed<Model>({ expected }: Kit<Model>, image: OpenedImage, model: Model): void {
  const { layer } = image;
  const snapshots = expected?.snapshots?.(model);
  if (snapshots !== undefined) {
    assertSameJson("snapshots", [...layer?.info().snapshots ?? []], [...snapshots]);
  }
  const bitmaps = expected?.bitmaps?.(model);
  if (bitmaps === undefined) return;
  const found = (layer?.bitmaps ?? []).map(({ name, granularity, inUse, auto, ranges }) => {
    const marks = firstOf(ranges()).map(({ start, length }) => [start, start + length]);
    return { name, granularity, inUse, auto, marks };
  });
  const expectedOnes = bitmaps.map(({ marks, ...rest }) => ({
    ...rest,
    marks: firstOf(marks).map(({ start, end }) => [start, end]),
  }));
  assertSameJson("bitmaps", found, expectedOnes);
}

function firstOf<Item>(items: Iterable<Item>): Item[] {
  const first: Item[] = [];
  for (const item of items) {
    if (first.push(item) === MARKS_MAX) break;
  }
  return first;
}

/** The snapshots of an image have their own content; each is found by its id. */
function assertViews<Model>({ expected }: Kit<Model>, image: OpenedImage, model: Model): void {
  const [top, ...below] = layersOf(image);
  for (const [id, disk] of expected?.views?.(model) ?? []) {
    const layer = top?.snapshot?.(id);
    if (layer === undefined) {
      throw new Failure("roundtrip.snapshot", `There is no snapshot ${id}`, {
        about: { path: "/snapshots" },
      });
    }
    assertDisk([layer, ...below], disk, `snapshot ${id}`);
  }
}
