import { storedSize } from "../bytes/mod.ts";
import { AccessError, type Layer, type Lock, type Use } from "../format/mod.ts";
import {
  digestOf,
  extentsOf,
  judgeImage,
  layersOf,
  type OpenedImage,
  tryReading,
} from "../image/mod.ts";
import { type Opening, refuses, type RuleId, ruleOf } from "../rules/mod.ts";
import { headerFeaturesOf } from "./features.ts";
import { isLenient, isMissingFile, isNeeded, isUnused } from "./needed.ts";

/** Why an implementation may accept or reject an image. */
export type ExpectationReason =
  /** It breaks a `must` in a structure that the question does not need. */
  | "not-needed"
  /** It breaks a `must`, and a reader can ignore that. */
  | "ignorable"
  /** It exceeds a limit of a tool, not of the format. */
  | "limit"
  /** A tool gives meaning to what the format leaves open. */
  | "habit"
  /** It breaks a `should`, or says of itself that it may be damaged. */
  | "recommendation"
  /** The format has no refcounts that a checker could check. */
  | "no-checker"
  /** diskproof does not know: it did not look, or does not support it. */
  | "unknown";

/** What is expected of an implementation that is asked a question about an image. */
export interface Expectation {
  /** `either` if the implementation may accept or reject the image. */
  readonly verdict: "must-accept" | "must-reject" | "either";
  /** For `either`: why. */
  readonly reason?: ExpectationReason;
  /** The broken rules that decide; absent for `must-accept`, and if no rule is about the reason. */
  readonly rules?: readonly RuleId[];
  /** For `either`: an accepted answer is not compared, because the format does not define it. */
  readonly anyAnswer?: true;
}

/** A question about an image. */
export interface ExpectationQuery {
  /** The question. */
  readonly use: Exclude<Use, "unlock"> | "probe";
  /** Id or name of a snapshot, for `snapshot`. */
  readonly snapshot?: string;
  /** The part of the content, in bytes; all of it by default. */
  readonly range?: { readonly start: number; readonly length: number };
}

/** The weight of one broken rule for one question. */
interface Weight {
  /** Absent for what no rule is about. */
  readonly rule?: RuleId;
  readonly verdict: "must-reject" | "either";
  readonly reason?: ExpectationReason;
  readonly anyAnswer?: true;
}

/** Longest range that is read to find out whether it can be read, in bytes. */
const RANGE_MAX = 2 ** 32;

const PAST_EOF: RuleId = "blk.io.past-eof";

/**
 * What the format expects of an implementation, by question.
 *
 * @param image opened with the passphrases that the implementation is given; it is judged here, and not
 * before
 */
export function expectationOf(image: OpenedImage): (query: ExpectationQuery) => Expectation {
  const { findings } = judgeImage(image);
  const own = [...new Set(findings.map(({ rule }) => rule))];
  const naming = namingWeight(image);
  const detection = detectionWeight(image);
  const below = backingRules(image);
  const isDirty = chainOf(image).some(({ layer }) => layer?.dirty === true);
  const isMarked = isDirty || headerFeaturesOf(image).has("corrupt");
  return (query) => {
    const expectation = expected(query);
    // Any structure or the refcounts may be damaged, says the image: nobody has to trust it. Refcounts
    // shall be repaired before an image that is dirty is accessed (qcow2.txt, Header).
    return isMarked && expectation.verdict === "must-accept"
      ? { verdict: "either", reason: "recommendation" }
      : expectation;
  };

  function expected(query: ExpectationQuery): Expectation {
    if (query.use === "probe") return probeExpectation(image, own);
    const { use } = query;
    if (use === "check" && image.layer !== undefined && image.layer.check === undefined) {
      return { verdict: "either", reason: "no-checker", anyAnswer: true };
    }
    const isOfContent = use === "map" || use === "digest" || use === "snapshot";
    const rules = isOfContent ? [...own, ...below] : own;
    const weights = rules.filter((rule) => !isOfContent || !isCause(image, rule))
      .map((rule) => weightOf(image, rule, use));
    if (isOfContent || use === "info") weights.push(naming);
    if (isOfContent) weights.push(detection, readingWeight(image, query));
    if (isOfContent || use === "info") weights.push(roundingWeight(image));
    return combine(weights, image);
  }
}

/**
 * What is expected for a passphrase of a LUKS volume.
 *
 * @param image opened without passphrases
 * @param opens whether the passphrase opens a key slot
 */
export function expectedUnlock(image: OpenedImage, opens: boolean): Expectation {
  const rules = [...new Set(image.findings.list().map(({ rule }) => rule))];
  const weighed = combine(
    rules.filter((rule) => locksOf(image)[rule] === undefined)
      .map((rule) => weightOf(image, rule, "unlock")),
    image,
  );
  if (weighed.verdict === "must-reject" || opens) return weighed;
  return { verdict: "must-reject", rules: wrongPassphrase(image) };
}

function wrongPassphrase(image: OpenedImage): RuleId[] {
  return Object.entries(locksOf(image)).filter(([, lock]) => lock === "wrong")
    .map(([rule]) => rule);
}

function locksOf({ definition: { keys } }: OpenedImage): Readonly<Record<RuleId, Lock>> {
  return keys?.locks ?? {};
}

/** The rules that the backing files break. */
function backingRules(image: OpenedImage): RuleId[] {
  const rules = new Set<RuleId>();
  for (let at = image.backing; at !== undefined; at = at.backing) {
    at.layer?.judge(at.findings);
    for (const rule of at.findings.rules()) rules.add(rule);
  }
  return [...rules];
}

function chainOf(image: OpenedImage): OpenedImage[] {
  const { backing } = image;
  return [image, ...(backing === undefined ? [] : chainOf(backing))];
}

/** A name that is more than a file name means something to QEMU alone. */
function namingWeight(image: OpenedImage): Weight | undefined {
  const isNamed = chainOf(image)
    .some(({ layer }) => /^[\w+.-]+:/.test(layer?.backing?.name ?? ""));
  return isNamed
    ? { rule: "blk.backing.protocol-known", verdict: "either", reason: "habit" }
    : undefined;
}

/** That the format of a backing file is detected where none is recorded, is a habit of QEMU. */
function detectionWeight(image: OpenedImage): Weight | undefined {
  const detected = chainOf(image).filter(({ layer }) =>
    layer?.backing !== undefined && layer.backing.format === undefined
  );
  if (detected.length === 0) return undefined;
  // Who treats it as raw reads the same content only if it is raw.
  const isRaw = detected.every(({ backing }) => backing?.definition.structures.length === 0);
  return { verdict: "either", reason: "habit", ...(isRaw ? {} : { anyAnswer: true }) };
}

/** QEMU rounds the length of a raw image up to whole sectors, which other readers do not. */
function roundingWeight({ format, source, layer }: OpenedImage): Weight | undefined {
  if (format !== "raw" || layer === undefined || source.size === layer.virtualSize) {
    return undefined;
  }
  return { rule: PAST_EOF, verdict: "either", reason: "habit", anyAnswer: true };
}

/** The backing file was opened, and what is wrong with it is among its own findings. */
function isCause({ backing }: OpenedImage, rule: RuleId): boolean {
  return rule === "blk.backing.opens" && backing !== undefined;
}

/** Detection of a format without a magic is a habit of each program. */
function probeExpectation(image: OpenedImage, rules: readonly RuleId[]): Expectation {
  const { structures } = image.definition;
  if (structures.length === 0 || rules.some((rule) => rule.startsWith("blk.probe."))) {
    return { verdict: "either", reason: "habit", anyAnswer: true };
  }
  const weighed = combine(rules.map((rule) => weightOf(image, rule, "info")), image);
  if (weighed.verdict === "must-accept") return weighed;
  // Nobody has to read more than the magic to know the format.
  return { ...weighed, verdict: "either", reason: "not-needed", anyAnswer: true };
}

const OPENINGS: Readonly<Record<Use, Opening>> = {
  info: "info",
  map: "read",
  digest: "read",
  snapshot: "read",
  check: "check",
  unlock: "info",
};

function weightOf(image: OpenedImage, id: RuleId, use: Use): Weight | undefined {
  const rule = ruleOf(id);
  const reads = use === "digest" || use === "snapshot";
  const either = (reason: ExpectationReason, more: { anyAnswer?: true } = {}): Weight => {
    return { rule: id, verdict: "either", reason, ...more };
  };
  const any = { anyAnswer: true } as const;
  const lock = locksOf(image)[id];
  const rejectedAtOpen = refuses(rule, OPENINGS[use]);
  const isMissing = isMissingFile(id);
  if (lock === "missing" || lock === "wrong" || isMissing) {
    if (reads) return { rule: id, verdict: "must-reject" };
    if (rejectedAtOpen) return either("not-needed", any);
    return isMissing ? either("not-needed") : undefined;
  }
  if (id.startsWith("blk.probe.")) return either("habit", any);
  // Who opens an image may read its tables.
  if (id === PAST_EOF && (use === "info" || use === "check")) return either("not-needed");
  // Whether the files of a chain are opened for `info` is up to the implementation.
  if (use === "info" && OF_OTHER_FILES.test(id)) return either("not-needed");
  const needed = isNeeded(id, use) && !isUnused(image, id) && !isOfVolumeInside(image, { id, use });
  if (rule.effect === "unknown") return use === "info" ? undefined : either("unknown", any);
  const refused = rejectedAtOpen ||
    use === "check" && (rule.effect === "corruption" || rule.effect === "check-error");
  if (rule.class === "spec") {
    if (needed && refused) return { rule: id, verdict: "must-reject" };
    if (rule.level === "must") {
      if (image.layer?.dirty === true && rule.excusedWhenDirty === true) return undefined;
      // Whether an access fails is found out by reading.
      if (!needed || rule.effect === "fails-at-access") return either("not-needed");
      return either("ignorable", any);
    }
    if (needed && isLenient(id)) return either("recommendation", any);
    return use === "check" && rule.effect === "leak" ? either("recommendation") : undefined;
  }
  // A limit of a tool may be that of others too, wherever they check it.
  if (!needed && !rejectedAtOpen) return rule.level === "must" ? either("limit") : undefined;
  if (refused || rule.effect === "fails-at-access") return either("limit");
  return either("habit", rule.level === "may" && !isLenient(id) ? {} : any);
}

const OF_OTHER_FILES = /^blk\.(backing|datafile)\.(?!short$)/;

/** Whether a rule is about a volume inside the image: only the content needs that. */
function isOfVolumeInside(
  { definition }: OpenedImage,
  { id, use }: { readonly id: RuleId; readonly use: Use },
): boolean {
  const isAboutFile = use === "info" || use === "check";
  return isAboutFile && !id.startsWith("blk.") && definition.rules.every((rule) => rule.id !== id);
}

/** The weight of the rule that makes reading fail; nothing if reading succeeds. */
function readingWeight(image: OpenedImage, query: ExpectationQuery): Weight | undefined {
  const layers = image.layer === undefined
    ? undefined
    : layersOf(image, query.use === "snapshot" ? query.snapshot : undefined);
  if (layers === undefined || layers.length === 0 || image.incomplete) return undefined;
  const id = failureOf(layers, query, storedSize(image.source));
  if (id === undefined) {
    // A reader may insist on whole clusters, and one that does not reads zeros.
    return query.use !== "map" && endsInCluster(image, layers)
      ? { rule: "blk.io.past-eof", verdict: "either", reason: "habit" }
      : undefined;
  }
  if (id === "unknown") {
    return { rule: "diskproof.work.budget", verdict: "either", reason: "unknown", anyAnswer: true };
  }
  if (typeof id !== "string") {
    return { rule: id.ofZeros, verdict: "either", reason: "not-needed", anyAnswer: true };
  }
  const isLock = locksOf(image)[id] !== undefined;
  if (query.use === "map" && (isLock || !isNeeded(id, "map"))) {
    return { rule: id, verdict: "either", reason: "not-needed", anyAnswer: true };
  }
  if (isOfStream(id) && readsPartOfCluster(layers, query, storedSize(image.source))) {
    return { rule: id, verdict: "either", reason: "not-needed", anyAnswer: true };
  }
  if (ruleOf(id).class === "spec") return { rule: id, verdict: "must-reject" };
  return isLock
    ? weightOf(image, id, query.use as Use)
    : { rule: id, verdict: "either", reason: "limit", anyAnswer: true };
}

/** Whether a rule is about the stream of a compressed cluster. */
function isOfStream(id: RuleId): boolean {
  return /^qcow[12]\.comp\./.test(id);
}

/** Who needs only a part of the damaged cluster may stop before the damage. */
function readsPartOfCluster(
  layers: readonly Layer[],
  { use, range }: ExpectationQuery,
  size: number,
): boolean {
  if (range !== undefined) return true;
  const [{ virtualSize, clusterSize } = { virtualSize: 0, clusterSize: 1 }] = layers;
  const length = virtualSize - virtualSize % clusterSize;
  return length < virtualSize &&
    failureOf(layers, { use, range: { start: 0, length } }, size) === undefined;
}

function failureOf(
  layers: readonly Layer[],
  { use, range }: ExpectationQuery,
  size: number,
): RuleId | "unknown" | OfZeros | undefined {
  try {
    if (range !== undefined && range.length > RANGE_MAX) return "unknown";
    const mapping = mappingFailure(layers, range);
    if (use === "map" || mapping !== undefined) return mapping;
    if (range === undefined) {
      const tried = tryReading(layers, size);
      return tried.read === "ok" ? undefined : tried.broken.rule;
    }
    digestOf(layers, { from: range.start, to: range.start + range.length });
    return undefined;
  } catch (error) {
    if (error instanceof AccessError) return error.broken.rule;
    throw error;
  }
}

/** Extents of a map that are looked up. */
const EXTENTS_MAX = 2 ** 20;

/** Whether the file of the image ends within a cluster of data. */
function endsInCluster(image: OpenedImage, layers: readonly Layer[]): boolean {
  const [top] = layers;
  if (top === undefined || top.dataFile !== undefined) return false;
  let left = EXTENTS_MAX;
  for (const { kind, host, length } of top.runs(0, top.virtualSize)) {
    if (kind === "data" && host !== undefined && host + length > image.source.size) return true;
    if (left-- === 0) break;
  }
  return false;
}

/** A rule that only entries for zeros break: their content is known without the broken part. */
interface OfZeros {
  readonly ofZeros: RuleId;
}

function mappingFailure(
  layers: readonly Layer[],
  { start, length }: NonNullable<ExpectationQuery["range"]> = {
    start: 0,
    length: layers[0]?.virtualSize ?? 0,
  },
): RuleId | OfZeros | undefined {
  let left = EXTENTS_MAX;
  let ofZeros: OfZeros | undefined;
  for (const { broken, run } of extentsOf(layers, start, start + length)) {
    if (broken !== undefined && run.kind !== "zero") return broken.rule;
    if (broken !== undefined) ofZeros = { ofZeros: broken.rule };
    if (left-- === 0) break;
  }
  return ofZeros;
}

function combine(all: readonly (Weight | undefined)[], { layer }: OpenedImage): Expectation {
  const known = all.filter((it) => it !== undefined);
  // What a table says that goes on past the end of the file is not defined.
  const isCut = known.some(({ rule }) => rule === PAST_EOF);
  const weights = known.map((weight): Weight =>
    isCut && weight.verdict === "must-reject" && weight.rule !== undefined &&
      ruleOf(weight.rule).effect === "fails-at-access"
      ? { rule: weight.rule, verdict: "either", reason: "habit", anyAnswer: true }
      : weight
  );
  const rulesOf = (some: readonly Weight[]): RuleId[] => [
    ...new Set(some.flatMap(({ rule }) => rule ?? [])),
  ];
  const rejecting = weights.filter(({ verdict }) => verdict === "must-reject");
  if (rejecting.length > 0) return { verdict: "must-reject", rules: rulesOf(rejecting) };
  const decisive = weights.find(({ anyAnswer }) => anyAnswer) ?? weights[0];
  if (decisive !== undefined) {
    const { reason = "unknown", anyAnswer } = decisive;
    const rules = rulesOf(weights);
    return {
      verdict: "either",
      reason,
      ...(rules.length === 0 ? {} : { rules }),
      ...(anyAnswer === undefined ? {} : { anyAnswer }),
    };
  }
  if (layer !== undefined) return { verdict: "must-accept" };
  return { verdict: "either", reason: "unknown", anyAnswer: true };
}
