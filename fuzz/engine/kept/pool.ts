import type * as fc from "fast-check";
import type { Feature } from "./features.ts";

/** A case that showed something new. */
export interface KeptCase<Case> {
  readonly value: Case;
  /** Length of its JSON. */
  readonly size: number;
  /** What was new when it was kept. */
  readonly features: readonly Feature[];
}

interface Entry<Case> extends KeptCase<Case> {
  /** How often it was chosen. */
  uses: number;
}

/** Cases of one target that are kept. */
const KEPT_MAX = 256;
/** Features that are counted. Some contain names that an image gives, of which there is no end. */
const FEATURES_MAX = 2 ** 18;
/** Cases that are compared when one is chosen: the one with the rarest features and the fewest uses wins. */
const COMPARED = 4;
/** A case of this size counts twice as much as an empty one. */
const SIZE_UNIT = 1024;

/**
 * The cases of one target that are worth more than a fresh one, and how often each feature was met. Both
 * are bounded.
 */
export class Pool<Case> {
  readonly #entries: Entry<Case>[] = [];
  readonly #met = new Map<Feature, number>();

  /** Number of cases that are kept. */
  get size(): number {
    return this.#entries.length;
  }

  /** The cases. */
  get cases(): readonly KeptCase<Case>[] {
    return this.#entries;
  }

  /** Counts the features of a case, and returns those that no case had before. */
  meet(features: readonly Feature[]): Feature[] {
    let fresh: Feature[] | undefined;
    for (const feature of features) {
      const times = this.#met.get(feature);
      if (times === undefined && this.#met.size >= FEATURES_MAX) continue;
      if (times === undefined) (fresh ??= []).push(feature);
      this.#met.set(feature, (times ?? 0) + 1);
    }
    return fresh ?? NONE;
  }

  /** Keeps a case. The worst of some others goes if there are too many. */
  keep(kept: KeptCase<Case>, random: fc.Random): void {
    this.#entries.push({ ...kept, uses: 0 });
    if (this.#entries.length <= KEPT_MAX) return;
    this.#entries.splice(this.#some(random, (a, b) => a > b), 1);
  }

  /** One of the cases: rather a small one, one with rare features, and one that was seldom chosen. */
  choose(random: fc.Random): Case | undefined {
    if (this.#entries.length === 0) return undefined;
    const entry = this.#entries[this.#some(random, (a, b) => a < b)] as Entry<Case>;
    entry.uses++;
    return entry.value;
  }

  /** A case for its parts. */
  any(random: fc.Random): Case | undefined {
    return this.#entries[random.nextInt(0, Math.max(0, this.#entries.length - 1))]?.value;
  }

  /** The index of the best of some cases. */
  #some(random: fc.Random, isBetter: (a: number, b: number) => boolean): number {
    let best = random.nextInt(0, this.#entries.length - 1);
    let score = this.#scoreOf(best);
    for (let i = 1; i < COMPARED; i++) {
      const other = random.nextInt(0, this.#entries.length - 1);
      const its = this.#scoreOf(other);
      if (isBetter(its, score)) [best, score] = [other, its];
    }
    return best;
  }

  /** Low for a case that should be chosen. */
  #scoreOf(index: number): number {
    const { features, size, uses } = this.#entries[index] as Entry<Case>;
    let rarest = Infinity;
    for (const feature of features) rarest = Math.min(rarest, this.#met.get(feature) ?? 0);
    return rarest * (1 + uses) * (1 + size / SIZE_UNIT);
  }
}

const NONE: Feature[] = [];
