import { publishedFeatures } from "../expect/mod.ts";
import { type Difference, type FailureKind, isMembers } from "../peers/mod.ts";
import type { ImageRecord, QuestionResult, VerifyFailure } from "../recorded/mod.ts";
import { isRuleId } from "../rules/mod.ts";
import { causesOf } from "./cause.ts";
import { caseOf, type FindingCase, FindingList, kindOf, type PeerFinding } from "./finding.ts";
import type { Observation } from "./observation.ts";
import type { FeatureResult } from "./report.ts";

/** The commands of a case. */
export type CaseCommands = Pick<FindingCase, "reproduce" | "writeOut">;

/** Collects what an implementation answers about recorded images. */
export class PeerCollector {
  readonly #observed: Observation[] = [];
  readonly #failures: { seen: Observation; failure: VerifyFailure; record: ImageRecord }[] = [];
  readonly #rows = new Map<string, Row>();

  /** Adds the results of one image. */
  add(record: ImageRecord, results: readonly QuestionResult[]): void {
    const rule = ruleOfRecord(record);
    for (const result of results) {
      this.#count(record, result, rule);
      const about = {
        image: record.name,
        operation: result.operation,
        features: record.expected?.features ?? [],
        shows: shownBy(record),
        ...(rule === undefined ? {} : { rule }),
      };
      for (const failure of result.failures) {
        const seen = { ...about, ...failureParts(failure, result) };
        this.#observed.push(seen);
        this.#failures.push({ seen, failure, record });
      }
      if (isRight(record, result)) this.#observed.push(about);
    }
  }

  /** The failures by their cause. */
  findings({ when, commands }: {
    readonly when: string;
    readonly commands: (image: string) => CaseCommands;
  }): PeerFinding[] {
    const causes = causesOf(this.#observed);
    const list = new FindingList();
    // Images are finished in any order.
    const failures = this.#failures.toSorted((a, b) =>
      a.seen.image < b.seen.image ? -1 : a.seen.image > b.seen.image ? 1 : 0
    );
    for (const { seen, failure, record } of failures) {
      const cause = causes.get(seen);
      const { kind, operation } = seen;
      if (cause === undefined || kind === undefined) continue;
      const { changes, files, name } = record;
      const bytes = files.reduce((sum, { size }) => sum + size, 0);
      const more = changes === undefined || changes.length === 0 ? {} : { changes };
      const found = caseOf(failure, { operation, bytes, ...more, ...commands(name) });
      list.add({ kind, cause, case: found, when });
    }
    return list.findings;
  }

  /** The rows of a matrix: features first, then areas of rules. */
  get features(): FeatureResult[] {
    return [...this.#rows].map(([feature, { failing, ...row }]): FeatureResult => {
      const says = row.isRules ? undefined : publishedFeatures[feature];
      return { feature, ...row, ...(says === undefined ? {} : { says }), failing: [...failing] };
    }).sort((a, b) => Number(a.isRules) - Number(b.isRules) || (a.feature < b.feature ? -1 : 1));
  }

  #count(record: ImageRecord, result: QuestionResult, rule: string | undefined): void {
    const area = rule?.split(".").slice(0, 2).join(".");
    const names = (record.expected?.features ?? []).map((name) => ({ name, isRules: false }));
    const rows = area === undefined ? names : [...names, { name: area, isRules: true }];
    for (const { name, isRules } of rows) {
      const row = this.#rows.get(name) ??
        { isRules, right: 0, wrong: 0, unsupported: 0, failing: new Set<string>() };
      this.#rows.set(name, row);
      row[resultOf(result)]++;
      if (result.failures.length > 0) row.failing.add(record.name);
    }
  }
}

interface Row {
  readonly isRules: boolean;
  right: number;
  wrong: number;
  unsupported: number;
  readonly failing: Set<string>;
}

function resultOf(
  { failures, outcome, lacking }: QuestionResult,
): "right" | "wrong" | "unsupported" {
  if (failures.length > 0) return "wrong";
  const isMissing = outcome === "unsupported" || outcome === "not-asked" || lacking !== undefined;
  return isMissing ? "unsupported" : "right";
}

/** The rule that an image of the corpus breaks or keeps. */
function ruleOfRecord({ features: [rule] }: ImageRecord): string | undefined {
  return rule !== undefined && isRuleId(rule) ? rule : undefined;
}

/** What a golden image was made to show. */
function shownBy({ features }: ImageRecord): readonly string[] {
  const [rule = ""] = features;
  return isRuleId(rule) ? [] : features;
}

/** A right answer about a damaged image says little about what a valid one needs. */
function isRight({ expected }: ImageRecord, { question, outcome, failures }: QuestionResult) {
  return outcome === "accepted" && failures.length === 0 &&
    expected?.answers[question]?.verdict === "must-accept";
}

/** Kinds of failure that are about one member of an answer. */
const MEMBERS: readonly FailureKind[] = ["wrong-info", "wrong-map", "wrong-check"];

function messageIn(answer: Difference["right"]): string {
  const message = isMembers(answer) ? answer["message"] : undefined;
  return typeof message === "string" ? message : "";
}

function failureParts(
  failure: VerifyFailure,
  { operation }: QuestionResult,
): Pick<Observation, "kind" | "broken" | "member" | "message"> {
  const kind = kindOf(failure, operation);
  const { path = "", right } = failure.differences[0] ?? {};
  const { rules } = failure.expectation ?? {};
  return {
    kind,
    ...(rules === undefined ? {} : { broken: rules }),
    ...(MEMBERS.includes(kind) ? { member: path.replaceAll(/\/\d+(?=\/|$)/g, "") } : {}),
    ...(kind === "crash" ? { message: messageIn(right) } : {}),
  };
}
