import { type Expectation, publishedFeatures } from "../expect/mod.ts";
import {
  bySeverity,
  type ChangeOperation,
  type Difference,
  type FailureKind,
  isSecurityRelevant,
  type Operation,
  wrongKindOf,
} from "../peers/mod.ts";
import type { VerifyFailure } from "../recorded/mod.ts";
import { isRuleId, type Rule, ruleOf } from "../rules/mod.ts";

/** The one thing that failing cases have in common. */
export interface Cause {
  /**
   * `operation`: every image that the operation is queried for fails. `message`: a crash or hang that
   * looks the same for images that have nothing else in common.
   */
  readonly type: "rule" | "feature" | "operation" | "message" | "image";
  /** The slug of the rule, the feature, the operation, the message, or the name of the image. */
  readonly name: string;
  /** The sentence of the rule, or the meaning of the feature. */
  readonly says?: string;
  /** Class, level and section, of a rule. */
  readonly rule?: Pick<Rule, "class" | "level" | "section">;
  /** For a feature: how many images that need it fail, and how many pass. */
  readonly evidence?: { readonly failing: number; readonly passing: number };
}

/** The cause of failures of images that break a rule, or just keep it. */
export function causeOfRule(id: string): Cause {
  if (!isRuleId(id)) return { type: "rule", name: id };
  const { class: ruleClass, level, section, says } = ruleOf(id);
  return { type: "rule", name: id, says, rule: { class: ruleClass, level, section } };
}

/** The cause of failures of images that need features; several only if no single one explains them. */
export function causeOfFeature(features: readonly string[], evidence?: Cause["evidence"]): Cause {
  const meanings = features.flatMap((name) => publishedFeatures[name] ?? []);
  return {
    type: "feature",
    name: features.join("+"),
    ...(meanings.length === 0 ? {} : { says: meanings.join("; ") }),
    ...(evidence === undefined ? {} : { evidence }),
  };
}

/** A question that an implementation answers wrongly. */
export interface FindingCase {
  /** Name of the image. */
  readonly image: string;
  readonly question: string;
  readonly operation: Operation | ChangeOperation;
  /** Size of the image and of all files that it needs. */
  readonly bytes: number;
  /** What the format expects. */
  readonly expectation?: Expectation;
  /** The right answer, and the one of the implementation, as far as they differ. */
  readonly expected: string;
  readonly answered: string;
  /** Whose answer is the right one. */
  readonly recordedBy?: readonly string[];
  /** What was done to a valid image, in words. */
  readonly changes?: readonly string[];
  /** The command that asks just this question, and the one that writes the files of the image. */
  readonly reproduce?: string;
  readonly writeOut?: string;
}

/** A finding that is known: it fails no run. */
export interface KnownFinding {
  readonly slug: string;
  /** Why it is not mended yet. */
  readonly reason: string;
  /** Where it is tracked. */
  readonly link?: string;
}

/** Failures of an implementation that have one cause. */
export interface PeerFinding {
  /** Stable, and usable as the name of a folder: `wrong-content-extended-l2`. */
  readonly slug: string;
  readonly kind: FailureKind;
  readonly cause: Cause;
  /** The operations that fail. */
  readonly operations: readonly (Operation | ChangeOperation)[];
  /** How many questions fail, and about how many images. */
  readonly count: number;
  readonly images: number;
  readonly smallest: FindingCase;
  /** The cases that are kept, the smallest first. */
  readonly cases: readonly FindingCase[];
  /** When it was first seen, in ISO 8601. */
  readonly firstSeen: string;
  /** A crash, a hang or too much memory. */
  readonly securityRelevant: boolean;
  /** Why it fails no run. */
  readonly known?: KnownFinding;
}

/** A failure with its cause. */
export interface CausedFailure {
  readonly kind: FailureKind;
  readonly cause: Cause;
  readonly case: FindingCase;
  /** In ISO 8601. */
  readonly when: string;
}

interface Group {
  readonly first: CausedFailure;
  readonly operations: Set<Operation | ChangeOperation>;
  readonly images: Set<string>;
  count: number;
  cases: FindingCase[];
}

/** Groups failures by kind and cause while they come in. */
export class FindingList {
  readonly #groups = new Map<string, Group>();
  readonly #casesMax: number;

  /** @param casesMax how many cases of each finding are kept; all of them are counted */
  constructor({ casesMax = Infinity }: { readonly casesMax?: number } = {}) {
    this.#casesMax = casesMax;
  }

  /**
   * Adds a failure.
   *
   * @returns whether its finding is new
   */
  add(failure: CausedFailure): boolean {
    const slug = slugOf(failure);
    const known = this.#groups.get(slug);
    const group = known ??
      { first: failure, operations: new Set(), images: new Set(), count: 0, cases: [] };
    this.#groups.set(slug, group);
    group.count++;
    group.operations.add(failure.case.operation);
    group.images.add(failure.case.image);
    group.cases.push(failure.case);
    if (group.cases.length > 2 * this.#casesMax) group.cases = this.#kept(group.cases);
    return known === undefined;
  }

  /** The findings, the worst first, and of one kind the most frequent first. */
  get findings(): PeerFinding[] {
    return [...this.#groups].flatMap(([slug, group]): PeerFinding[] => {
      const cases = this.#kept(group.cases);
      const [smallest] = cases;
      if (smallest === undefined) return [];
      const { first: { kind, cause, when: firstSeen }, operations, images, count } = group;
      const counts = { operations: [...operations], count, images: images.size };
      const securityRelevant = isSecurityRelevant(kind);
      return [{ slug, kind, cause, ...counts, smallest, cases, firstSeen, securityRelevant }];
    }).sort((a, b) =>
      bySeverity(a.kind, b.kind) || b.images - a.images ||
      (a.slug < b.slug ? -1 : 1)
    );
  }

  #kept(cases: readonly FindingCase[]): FindingCase[] {
    const order = (a: FindingCase, b: FindingCase) =>
      a.bytes - b.bytes || (a.image < b.image ? -1 : a.image > b.image ? 1 : 0);
    return cases.toSorted(order).slice(0, this.#casesMax);
  }
}

/** Longest name in a slug: file systems allow 255 bytes. */
const NAME_MAX = 120;

function slugOf({ kind, cause: { name } }: CausedFailure): string {
  return `${kind}-${name.replaceAll(/[^\w.+-]+/g, "-").slice(0, NAME_MAX)}`;
}

/**
 * The kind of a failure. A tool is compared with its recorded answers, and such a failure has none.
 */
export function kindOf({ kind, differences }: VerifyFailure, operation: Operation): FailureKind {
  if (kind !== undefined) return kind;
  const { left, right } = differences.find(({ path }) => path === "") ?? {};
  switch (outcomeIn(right)) {
    case "crashed":
      return "crash";
    case "timed-out":
      return "hang";
    case "out-of-memory":
      return "memory";
    case "malformed-answer":
      return "malformed-answer";
    case "rejected":
    case "unsupported":
      return "refuses-valid";
    case "accepted":
      return outcomeIn(left) === "accepted" ? wrongKindOf(operation) : "accepts-invalid";
  }
  return wrongKindOf(operation);
}

function outcomeIn(value: Difference["left"]): string | undefined {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const outcome = isObject ? (value as { readonly outcome?: unknown }).outcome : undefined;
  return typeof outcome === "string" ? outcome : undefined;
}

/** A failure as a case of a finding. */
export function caseOf(
  failure: VerifyFailure,
  more: Omit<FindingCase, "image" | "question" | "expectation" | "expected" | "answered">,
): FindingCase {
  const { image, question, expectation, recordedBy } = failure;
  return {
    ...{ image, question, ...more, ...answerTexts(failure.differences) },
    ...(expectation === undefined ? {} : { expectation }),
    ...(recordedBy.length === 0 ? {} : { recordedBy }),
  };
}

/** Longest text of one value: a map may have thousands of entries. */
const VALUE_MAX = 2000;

/** Both sides of two answers, a line for each place where they differ. */
export function answerTexts(
  differences: readonly Difference[],
): Pick<FindingCase, "expected" | "answered"> {
  const side = (which: "left" | "right") =>
    differences.map(({ path, [which]: value }) =>
      path === "" ? wholeText(value) : `${path}: ${valueText(value)}`
    ).join("\n");
  return { expected: side("left"), answered: side("right") };
}

function valueText(value: Difference["left"]): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX)}…` : text;
}

/** `rejected: Unsupported version`. */
function wholeText(value: Difference["left"]): string {
  const outcome = outcomeIn(value);
  if (outcome === undefined) return valueText(value);
  const { message, printed } = value as { readonly message?: string; readonly printed?: string };
  // A tool that dies says nothing behind its signal.
  const text = message?.trim().replace(/:$/, "") ?? "";
  return `${outcome}${text === "" ? "" : `: ${text}`}${
    printed === undefined ? "" : `: '${printed}'`
  }`;
}
