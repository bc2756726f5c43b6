import { judgeImage, type OpenedImage } from "../image/mod.ts";
import type { RuleId } from "../rules/mod.ts";
import { headerFeaturesOf } from "./features.ts";
import { readingWeight } from "./reading.ts";
import {
  combine,
  type Expectation,
  type ExpectationQuery,
  locksOf,
  PAST_EOF,
  type Weight,
  weightOf,
} from "./weight.ts";

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
  const isRaw = detected.every(({ backing }) => backing?.format === "raw");
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
