import type * as fc from "fast-check";
import type { Json } from "../../../src/format/mod.ts";
import type { Kept } from "../protocol.ts";
import { type CaseStream, randomAt } from "../random.ts";
import type { CaseReport, Target } from "../target.ts";
import { type Feature, featuresOf } from "./features.ts";
import { Pool } from "./pool.ts";

/** A case that the guide has made of kept ones. No seed generates it. */
export interface Mutated {
  readonly value: unknown;
  readonly json: Json;
  /** The JSON as text. */
  readonly text: string;
}

/** Length of the JSON of a kept case. Larger ones are not kept, and not run if they are mutations. */
export const CASE_MAX = 16 * 1024;

/** One case in so many is a mutation of a kept one, for targets that can make one. */
const MUTATED = 3;
/** Rules of a case that is mutated: what breaks more of them is rejected, whatever else is in it. */
const RULES_MAX = 4;
/** Fewer cases than this say little about what is rare. */
const POOL_MIN = 4;
/** Other cases that a mutation may take parts of. */
const OTHERS = 3;

/** What a case has brought. */
export interface Learnt {
  /** Number of features that no case had before. */
  readonly novel: number;
  readonly kept: readonly Kept[];
}

/** Numbers of the streams of randomness of a case beside that of its generator. */
const LANE = { choice: 2, keeping: 3 } as const;

/**
 * Guides the cases of one target: those that show something new are kept, and a share of the cases are
 * mutations of kept ones instead of fresh draws.
 */
export class Guide {
  readonly #target: Target;
  readonly #pool = new Pool<unknown>();

  constructor(target: Target) {
    this.#target = target;
  }

  /**
   * The mutation that takes the place of a case; `undefined` where the case is a fresh draw.
   *
   * @param fresh draws that case
   */
  mutated(stream: CaseStream, index: number, fresh: () => unknown): Mutated | undefined {
    if (this.#target.mutate === undefined || this.#pool.size < POOL_MIN) return undefined;
    const random = randomAt(stream, index, LANE.choice);
    if (random.nextInt(1, MUTATED) !== 1) return undefined;
    const others = Array.from({ length: OTHERS }, () => this.#pool.any(random));
    const value = this.#target.mutate(this.#pool.choose(random), { random, others, fresh });
    if (value === undefined) return undefined;
    const json = this.#target.toJson(value);
    const text = JSON.stringify(json);
    return text.length <= CASE_MAX ? { value, json, text } : undefined;
  }

  /** Whether no case had a feature before. */
  isNew(feature: Feature): boolean {
    return this.#pool.meet([feature]).length > 0;
  }

  /** Learns what a case that passed has shown. */
  learn(
    value: unknown,
    report: CaseReport,
    place: { readonly stream: CaseStream; readonly index: number },
  ): Learnt {
    let novel = 0;
    const kept: Kept[] = [];
    let random: fc.Random | undefined;
    const { more = [] } = report;
    for (let part = 0; part <= more.length; part++) {
      const own = more[part - 1] ?? report;
      const fresh = this.#pool.meet(featuresOf(own));
      if (fresh.length === 0) continue;
      novel += fresh.length;
      const one = more.length === 0 ? value : this.#target.part?.(value, part) ?? value;
      const text = JSON.stringify(this.#target.toJson(one));
      if (text.length > CASE_MAX) continue;
      kept.push({ text, features: fresh });
      if (!isPromising(own)) continue;
      random ??= randomAt(place.stream, place.index, LANE.keeping);
      this.#pool.keep({ value: one, size: text.length, features: fresh }, random);
    }
    return { novel, kept };
  }
}

/** Whether mutations of a case may show more: a reader looks beyond its header. */
function isPromising({ depth, rules }: CaseReport): boolean {
  return depth !== "header" && new Set(rules).size <= RULES_MAX;
}
