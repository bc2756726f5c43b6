import type { CaseReport, Depth } from "./target.ts";

/** How often each name occurred. */
export type Count = Readonly<Record<string, number>>;

/** The counts of a number of cases. */
export interface Counts {
  readonly cases: number;
  readonly depths: Readonly<Record<Depth, number>>;
  readonly rules: Count;
  readonly divergences: Count;
  /** Cases that compared nothing, by reason. They are not among `cases`. */
  readonly skipped: Count;
  /** By signature. */
  readonly failures: Count;
}

/** The depths, in the order in which a reader reaches them. */
export const DEPTHS: readonly Depth[] = ["header", "tables", "data", "accepted"];

/** The counts of no cases. */
export const NO_COUNTS: Counts = {
  cases: 0,
  depths: { header: 0, tables: 0, data: 0, accepted: 0 },
  rules: {},
  divergences: {},
  skipped: {},
  failures: {},
};

/** Counts cases. */
export class Tally {
  #cases = 0;
  readonly #depths: Record<Depth, number> = { header: 0, tables: 0, data: 0, accepted: 0 };
  readonly #rules = new Map<string, number>();
  readonly #divergences = new Map<string, number>();
  readonly #skipped = new Map<string, number>();
  readonly #failures = new Map<string, number>();

  /** Counts a case that passed or was skipped. */
  add(report: CaseReport): void {
    for (const other of report.more ?? []) this.add(other);
    if (report.skipped !== undefined) {
      increment(this.#skipped, report.skipped);
      return;
    }
    this.#cases++;
    this.#depths[report.depth]++;
    for (const rule of report.rules) increment(this.#rules, rule);
    for (const name of report.divergences ?? []) increment(this.#divergences, name);
  }

  /** Counts a case that failed. */
  fail(signature: string): void {
    this.#cases++;
    increment(this.#failures, signature);
  }

  /** The counts so far, as plain data. */
  counts(): Counts {
    return {
      cases: this.#cases,
      depths: { ...this.#depths },
      rules: Object.fromEntries(this.#rules),
      divergences: Object.fromEntries(this.#divergences),
      skipped: Object.fromEntries(this.#skipped),
      failures: Object.fromEntries(this.#failures),
    };
  }
}

/** The sum of counts. */
export function sumCounts(parts: Iterable<Counts>): Counts {
  let cases = 0;
  const depths = { ...NO_COUNTS.depths };
  const rules = new Map<string, number>();
  const divergences = new Map<string, number>();
  const skipped = new Map<string, number>();
  const failures = new Map<string, number>();
  for (const part of parts) {
    cases += part.cases;
    for (const depth of DEPTHS) depths[depth] += part.depths[depth];
    addAll(rules, part.rules);
    addAll(divergences, part.divergences);
    addAll(skipped, part.skipped);
    addAll(failures, part.failures);
  }
  return {
    cases,
    depths,
    rules: Object.fromEntries(rules),
    divergences: Object.fromEntries(divergences),
    skipped: Object.fromEntries(skipped),
    failures: Object.fromEntries(failures),
  };
}

/** The sum over all names. */
export function total(count: Count): number {
  return Object.values(count).reduce((sum, value) => sum + value, 0);
}

function addAll(counts: Map<string, number>, more: Count): void {
  for (const [name, by] of Object.entries(more)) increment(counts, name, by);
}

function increment(counts: Map<string, number>, name: string, by = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}
