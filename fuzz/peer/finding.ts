import {
  type Cause,
  causeOfFeature,
  causeOfRule,
  FindingList,
  type KnownFinding,
  type PeerFinding,
} from "../../src/conformance/mod.ts";
import { bySeverity, FAILURE_KINDS } from "../../src/peers/mod.ts";
import { isRuleId } from "../../src/rules/mod.ts";
import { Ledger, type LedgerEntry, type ReportedFailure, type Summary } from "../engine/mod.ts";
import type { PeerFacts } from "./facts.ts";
import { meaningOf } from "./traits.ts";

/** A finding of a run, and the failure that shows it with its smallest case. */
export interface FuzzFinding {
  /** The implementation, as it was named. */
  readonly peer: string;
  readonly finding: PeerFinding;
  readonly facts: PeerFacts;
  readonly failure: ReportedFailure;
}

/** The facts of a failure of an implementation; `undefined` for any other failure. */
export function factsOf({ found }: ReportedFailure): PeerFacts | undefined {
  return found.fault.facts as unknown as PeerFacts | undefined;
}

/**
 * The new findings of a run, those of one implementation together, the worst first.
 *
 * @param started when the run started, in milliseconds since 1970
 */
export function findingsOf(summary: Summary, started: number): FuzzFinding[] {
  const counts = new Map(summary.findings.map(({ entry, count }) => [entry, count]));
  return summary.failures.flatMap((failure): FuzzFinding[] => {
    const { entry, seen = 0 } = failure;
    const facts = factsOf(failure);
    if (entry === undefined || facts === undefined) return [];
    const when = new Date(started + seen).toISOString();
    const finding = findingOf(failure, { entry, facts, when });
    if (finding === undefined) return [];
    const count = Math.max(1, counts.get(entry) ?? 1);
    return [{ peer: entry.group, facts, failure, finding: { ...finding, count, images: count } }];
  }).sort((a, b) =>
    compareTexts(a.peer, b.peer) || bySeverity(a.facts.kind, b.facts.kind) ||
    b.finding.count - a.finding.count
  );
}

function findingOf(
  { found: { dossier, fault }, artifact }: ReportedFailure,
  { entry, facts, when }: { entry: LedgerEntry; facts: PeerFacts; when: string },
): PeerFinding | undefined {
  const list = new FindingList();
  const { kind, question, operation, expectation, expected, answered } = facts;
  const bytes = (dossier?.files ?? []).reduce((sum, { size }) => sum + size, 0);
  const changes = dossier?.description.split("\n") ?? [];
  const image = artifact ?? "(not kept)";
  list.add({
    kind,
    when,
    cause: causeIn(entry.cause, operation),
    case: {
      ...{ image, question, operation, bytes, expectation, changes },
      expected: expected === "" ? fault.message : expected,
      answered,
    },
  });
  return list.findings[0];
}

/** What the traits of a cause are: a rule, features, or nothing that only some images have. */
function causeIn(traits: readonly string[], operation: string): Cause {
  const [only] = traits;
  if (only === undefined) return { type: "operation", name: operation, says: "every image" };
  if (traits.length === 1 && isRuleId(only)) return causeOfRule(only);
  const rule = traits.find((trait) => isRuleId(trait));
  const cause = withMeanings(causeOfFeature(traits), traits);
  return rule === undefined ? cause : { ...causeOfRule(rule), name: cause.name };
}

/** A cause with the meanings of those traits that are not features. */
function withMeanings(cause: Cause, traits: readonly string[]): Cause {
  const meanings = traits.flatMap((trait) => meaningOf(trait) ?? []);
  const says = [...(cause.says === undefined ? [] : [cause.says]), ...meanings].join("; ");
  return says === "" ? cause : { ...cause, says };
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Known findings of implementations as failures that a run knows before it starts. */
export function ledgerOf(
  known: readonly KnownFinding[],
  peers: readonly string[],
): { readonly ledger: Ledger; slugOf(entry: LedgerEntry): string | undefined } {
  const ledger = new Ledger();
  const slugs = new Map<LedgerEntry, string>();
  for (const { slug } of known) {
    const kind = FAILURE_KINDS.find((it) => slug.startsWith(`${it}-`));
    if (kind === undefined) continue;
    const cause = slug.slice(kind.length + 1).split("+");
    for (const group of peers) slugs.set(ledger.know({ group, signature: kind, cause }), slug);
  }
  return { ledger, slugOf: (entry) => slugs.get(entry) };
}

/** Those known findings that a run has not met. */
export function notMetIn(
  summary: Pick<Summary, "findings">,
  known: readonly KnownFinding[],
  slugOf: (entry: LedgerEntry) => string | undefined,
): KnownFinding[] {
  const met = new Set(
    summary.findings.filter(({ count }) => count > 0).map(({ entry }) => slugOf(entry)),
  );
  return known.filter(({ slug }) => !met.has(slug));
}
