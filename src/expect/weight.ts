import type { Lock, Use } from "../format/mod.ts";
import type { OpenedImage } from "../image/mod.ts";
import { type Opening, refuses, type RuleId, ruleOf } from "../rules/mod.ts";
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
export interface Weight {
  /** Absent for what no rule is about. */
  readonly rule?: RuleId;
  readonly verdict: "must-reject" | "either";
  readonly reason?: ExpectationReason;
  readonly anyAnswer?: true;
}

/** The image ends before what it says that it has. */
export const PAST_EOF: RuleId = "blk.io.past-eof";

/** Which rules of an image are about its passphrase. */
export function locksOf({ definition: { keys } }: OpenedImage): Readonly<Record<RuleId, Lock>> {
  return keys?.locks ?? {};
}

const OPENINGS: Readonly<Record<Use, Opening>> = {
  info: "info",
  map: "read",
  digest: "read",
  snapshot: "read",
  check: "check",
  unlock: "info",
};

/** The weight of a broken rule for a use of the image. */
export function weightOf(image: OpenedImage, id: RuleId, use: Use): Weight | undefined {
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

/** What the broken rules say together. */
export function combine(all: readonly (Weight | undefined)[], { layer }: OpenedImage): Expectation {
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
