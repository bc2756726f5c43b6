import * as fc from "fast-check";

/**
 * The cases of a target and a seed. Each case depends on its index alone: it can be generated without
 * those before it, and workers can share the cases.
 */
export interface CaseStream {
  /** 0 to 2^32 - 1. */
  readonly seed: number;
  readonly target: string;
}

/** One more than the highest index of a stream. */
export const CASES_MAX = 2 ** 32;

/** Rounds after which seeds that differ in one bit give unrelated numbers. */
const WARM_UP_ROUNDS = 15;

/** Chris Doty-Humphrey's sfc32: three words of state that a seed can fill, and a counter. */
class SmallFastCounter {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  constructor(state: readonly [number, number, number, number]) {
    [this.#a, this.#b, this.#c, this.#counter] = state;
  }

  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum | 0;
    return sum;
  }

  clone(): SmallFastCounter {
    return new SmallFastCounter(this.getState());
  }

  getState(): [number, number, number, number] {
    return [this.#a, this.#b, this.#c, this.#counter];
  }
}

/** FNV-1a of a text or of bytes: a whole number below 2^32. */
export function fnv1a(of: string | Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < of.length; i++) {
    const value = typeof of === "string" ? of.charCodeAt(i) : of[i] as number;
    hash = Math.imul(hash ^ value, 0x01000193);
  }
  return hash >>> 0;
}

/**
 * fast-check draws an edge value once in this many draws. Its own runner draws fewer of them as a run
 * continues; here they come back, since a run may have millions of cases.
 */
function biasOf(index: number): number {
  const within = index % 1000;
  if (within < 10) return 2;
  return within < 100 ? 3 : 4;
}

/** The case with an index. It is the same on every machine for one version of fast-check. */
export function caseAt<Case>(
  cases: fc.Arbitrary<Case>,
  stream: CaseStream,
  index: number,
): fc.Value<Case> {
  return cases.generate(randomAt(stream, index, GENERATOR), biasOf(index));
}

/** The lane of the generator of a case. */
const GENERATOR = 1;

/** Random numbers that belong to a case: each lane has its own. */
export function randomAt(stream: CaseStream, index: number, lane: number): fc.Random {
  const state = [stream.seed | 0, fnv1a(stream.target) | 0, index | 0, lane] as const;
  const counter = new SmallFastCounter(state);
  for (let i = 0; i < WARM_UP_ROUNDS; i++) counter.next();
  return new fc.Random(counter);
}

/** The case with an index of a list: each of them once, then again, in an order that the seed gives. */
export function listedAt<Case>(
  cases: readonly Case[],
  { seed }: CaseStream,
  index: number,
): Case | undefined {
  const { length } = cases;
  // Neighbours in the list are much the same. A step without a common divisor reaches all of them.
  let step = Math.max(1, Math.floor(length * GOLDEN_RATIO));
  while (divisor(step, length) > 1) step++;
  return cases[(seed + index % length * step) % length];
}

const GOLDEN_RATIO = 0.618;

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

/** A smaller case, and its step in a shrink path. */
export interface Candidate<Case> {
  readonly step: number;
  readonly value: fc.Value<Case>;
}

/** Returns the cases without one part. */
export type Drops<Case> = (value: Case) => Iterable<Case>;

/** The candidates of the arbitrary: steps 0, 1, 2 and so on. */
export function* generatedFrom<Case>(
  cases: fc.Arbitrary<Case>,
  value: fc.Value<Case>,
): Generator<Candidate<Case>> {
  // A case that was not generated has no context, which some arbitraries need.
  if (value.context === undefined && !cases.canShrinkWithoutContext(value.value_)) return;
  let step = 0;
  for (const smaller of cases.shrink(value.value_, value.context)) {
    yield { step: step++, value: smaller };
  }
}

/** The candidates without a part: steps -1, -2, -3 and so on. */
export function* droppedFrom<Case>(
  drops: Drops<Case> | undefined,
  value: fc.Value<Case>,
): Generator<Candidate<Case>> {
  let step = 0;
  for (const smaller of drops?.(value.value) ?? []) {
    yield { step: --step, value: new fc.Value(smaller, undefined) };
  }
}

/**
 * Follows a shrink path: at each step the candidate with that number.
 *
 * @returns `undefined` if there are not as many candidates
 */
export function followPath<Case>(
  cases: fc.Arbitrary<Case>,
  start: fc.Value<Case>,
  path: readonly number[],
  drops?: Drops<Case>,
): fc.Value<Case> | undefined {
  let value = start;
  for (const step of path) {
    const candidates = step < 0 ? droppedFrom(drops, value) : generatedFrom(cases, value);
    const next = withStep(candidates, step);
    if (next === undefined) return undefined;
    value = next;
  }
  return value;
}

function withStep<Case>(
  candidates: Iterable<Candidate<Case>>,
  step: number,
): fc.Value<Case> | undefined {
  for (const candidate of candidates) {
    if (candidate.step === step) return candidate.value;
  }
  return undefined;
}

/**
 * A case's index and shrink path as text: `45:0:1`, as fast-check writes it, and `45:0:d2` for the
 * second part that can be dropped.
 */
export function pathText(index: number, path: readonly number[]): string {
  return [index, ...path.map((step) => step < 0 ? `d${-step}` : step)].join(":");
}

/** @returns `undefined` for text that is not a path */
export function parsePath(text: string): { index: number; path: number[] } | undefined {
  if (!/^\d+(:d?\d+)*$/.test(text)) return undefined;
  const [index = 0, ...path] = text.split(":").map((step) => Number(step.replace("d", "-")));
  return index < CASES_MAX ? { index, path } : undefined;
}
