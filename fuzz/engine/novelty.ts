import type { CaseReport } from "./target.ts";

/** Most rules of a case whose pairs count: the number of pairs grows with its square. */
const PAIRED_MAX = 16;
/** More names than a target can have. */
const NAMES_MAX = 2 ** 20;

/** What the cases of a target have shown so far. */
export class Novelty {
  readonly #numbers = new Map<string, number>();
  readonly #pairs = new Set<number>();

  /** Adds features, and returns how many of them are new. */
  add(features: Iterable<string>): number {
    const before = this.#numbers.size;
    for (const feature of features) this.#numberOf(feature);
    return this.#numbers.size - before;
  }

  /** Adds the pairs of features of one case, and returns how many of them are new. */
  addPairs(features: readonly string[]): number {
    const before = this.#pairs.size;
    const numbers = features.slice(0, PAIRED_MAX).map((feature) => this.#numberOf(feature));
    numbers.sort((a, b) => a - b);
    for (const [at, low] of numbers.entries()) {
      for (const high of numbers.slice(at + 1)) this.#pairs.add(high * NAMES_MAX + low);
    }
    return this.#pairs.size - before;
  }

  /** Adds what a case that did not fail has shown, and returns how much of it is new. */
  addReport(report: CaseReport): number {
    const { depth, divergences = [], skipped, more = [] } = report;
    const rules = [...new Set(report.rules)];
    const others = [depth, ...divergences, ...(skipped === undefined ? [] : [skipped])];
    return this.add(others) + this.add(rules) + this.addPairs(rules) +
      more.reduce((sum, it) => sum + this.addReport(it), 0);
  }

  #numberOf(feature: string): number {
    const known = this.#numbers.get(feature);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    if (number < NAMES_MAX) this.#numbers.set(feature, number);
    return number;
  }
}
