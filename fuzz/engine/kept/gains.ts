import type { Json } from "../../../src/format/mod.ts";
import type { Bench } from "../bench.ts";
import type { Answer, CaseRange, Kept, Question } from "../protocol.ts";
import type { CaseReport } from "../target.ts";
import { failureFeature, featuresOf } from "./features.ts";
import type { Guide } from "./guide.ts";

/** A case that runs next. */
export interface NextCase {
  readonly value: unknown;
  /** The case, if no seed generates it. */
  readonly json?: Json;
}

/** What a new failure counts in comparison with a new rule. */
const NEW_FAILURE = 16;

type Asked = Extract<Question, { ask: "cases" }>;
type Gained = Pick<
  Extract<Answer, { say: "ran" }>,
  "novel" | "kept" | "features" | "unusable"
>;

/** Chooses the cases of one question to a worker, and collects what they bring. */
export class Gains {
  readonly #bench: Bench;
  readonly #guide: Guide;
  readonly #asked: Asked;
  readonly #kept: Kept[] = [];
  readonly #features: [number, readonly number[]][] = [];
  readonly #unusable: string[] = [];
  #novel = 0;

  constructor(
    { bench, guide }: { readonly bench: Bench; readonly guide: Guide },
    asked: Asked,
  ) {
    this.#bench = bench;
    this.#guide = guide;
    this.#asked = asked;
  }

  /**
   * The case with an index: a stored one, a mutation of one that was kept, or a fresh draw; `undefined`
   * if the stored one cannot be used.
   */
  next(index: number): NextCase | undefined {
    const { range, guided = false } = this.#asked;
    if (range.stored !== undefined) return this.#stored(range, index);
    const mutated = guided ? this.#bench.mutated(this.#guide, range, index) : undefined;
    return mutated ?? this.#bench.generate(range, index);
  }

  #stored({ stored = [] }: CaseRange, index: number): NextCase | undefined {
    const json = stored[index] ?? null;
    try {
      return { value: this.#bench.stored(json, index), json };
    } catch {
      this.#unusable.push(`not a case of ${this.#bench.target.name}`);
      return undefined;
    }
  }

  /** A case did not fail. */
  passed(index: number, { value }: NextCase, report: CaseReport): void {
    const { novel, kept } = this.#guide.learn(value, report, { stream: this.#asked.range, index });
    this.#novel += novel;
    if (this.#asked.keeps === true) this.#kept.push(...kept);
    if (this.#asked.lists !== true) return;
    this.#features.push([index, [report, ...report.more ?? []].flatMap(featuresOf)]);
  }

  /** A case failed. */
  failed(index: number, name: string): void {
    const feature = failureFeature(name);
    if (this.#guide.isNew(feature)) this.#novel += NEW_FAILURE;
    if (this.#asked.lists === true) this.#features.push([index, [feature]]);
  }

  /** What all cases together have brought. */
  get all(): Gained {
    const { keeps, lists } = this.#asked;
    return {
      novel: this.#novel,
      ...(keeps === true ? { kept: this.#kept } : {}),
      ...(lists === true ? { features: this.#features } : {}),
      ...(this.#unusable.length === 0 ? {} : { unusable: this.#unusable }),
    };
  }
}
