import type { Json } from "../../src/format/mod.ts";
import type { Target } from "./target.ts";

/** JSON without one part, and whether that part was a member of an object. */
interface Less {
  readonly json: Json;
  readonly member: boolean;
}

/**
 * The cases without one part: a list, half of a list, one element or one member. Outer parts come
 * before inner ones, and the parts of {@link isolated} before all others.
 *
 * Members of objects are dropped only if the target can repair the case.
 */
export function* drops<Case>(target: Target<Case>, value: Case): Generator<Case> {
  yield* shorterOf(target, value, lessOf);
}

/** The first of the `drops`: those without a part of a list that is a member of the case. */
export function* isolated<Case>(target: Target<Case>, value: Case): Generator<Case> {
  yield* shorterOf(target, value, outerLessOf);
}

/** The cases with a shorter text: a repair may bring a part back. */
function shorterOf<Case>(
  target: Target<Case>,
  value: Case,
  partsOf: (json: Json) => Iterable<Less>,
): Generator<Case> {
  const json = target.toJson(value);
  const { length } = JSON.stringify(json);
  return casesOf(target, json, {
    lesses: partsOf(json),
    isLess: ({ text }) => text.length < length,
  });
}

/** A case that was read from JSON. */
interface ReadCase<Case> {
  readonly value: Case;
  readonly json: Json;
  readonly text: string;
}

/** The cases of parts of a case that are less than all of it, each once. */
function* casesOf<Case>(
  target: Target<Case>,
  whole: Json,
  { lesses, isLess }: {
    readonly lesses: Iterable<Less>;
    readonly isLess: (read: ReadCase<Case>) => boolean;
  },
): Generator<Case> {
  const seen = new Set([JSON.stringify(whole)]);
  for (const { json, member } of lesses) {
    if (member && target.repair === undefined) continue;
    const read = caseOf(target, json);
    if (read === undefined || seen.has(read.text) || !isLess(read)) continue;
    seen.add(read.text);
    yield read.value;
  }
}

/**
 * The cases with one number or one flag less: a number becomes 0, half of it, or a little less. Only a target
 * that can repair a case has them. They come after {@link drops}: the arbitrary has made most numbers
 * small, but not those of a case that was read from JSON or has lost a part.
 */
export function* lowered<Case>(target: Target<Case>, value: Case): Generator<Case> {
  if (target.repair === undefined) return;
  const whole = target.toJson(value);
  const { length } = JSON.stringify(whole);
  const sum = sumOf(whole);
  yield* casesOf(target, whole, {
    lesses: within(whole, lowerOf),
    // A repair may bring the number back, or make another one larger. `false` is longer than `true`.
    isLess: ({ text, json }) => text.length <= length + 1 && sumOf(json) < sum,
  });
}

/** A number less, or a flag that is not set. */
function* lowerOf(json: Json): Generator<Less> {
  for (const less of valuesBelow(json)) yield { json: less, member: false };
}

function* valuesBelow(json: Json): Generator<Json> {
  if (json === true) yield false;
  else if (typeof json === "number") yield* lowerNumber(json);
  else if (isObject(json)) yield* lowerBig(bigIn(json) ?? 0n);
}

function* lowerNumber(number: number): Generator<number> {
  if (!Number.isSafeInteger(number) || number <= 0) return;
  for (const lower of towardsZero(BigInt(number))) yield Number(lower);
}

function* lowerBig(big: bigint): Generator<Json> {
  if (big <= 0n) return;
  for (const lower of towardsZero(big)) yield { bigint: `${lower}` };
}

/** The smallest part by which a number above the limit is lowered: for less, there are too many steps. */
const LAST_PART = 16n;
const EXACT_MAX = 4096n;

/** Zero, half of a number, and the number less smaller and smaller parts of it, one at last. */
function towardsZero(number: bigint): Set<bigint> {
  const lower = new Set([0n, number / 2n]);
  const least = number > EXACT_MAX ? number / LAST_PART : 1n;
  for (let part = number / 4n; part >= least; part /= 2n) lower.add(number - part);
  return number > EXACT_MAX ? lower : lower.add(number - 1n);
}

/** The `bigint` that an object stands for. */
function bigIn(object: JsonObject): bigint | undefined {
  const { bigint } = object;
  return typeof bigint === "string" && /^\d+$/.test(bigint) ? BigInt(bigint) : undefined;
}

/** What makes a case smaller where its text is as long: its numbers, and flags that are set. */
function sumOf(json: Json): number {
  if (json === true) return 1;
  if (typeof json === "number") return Math.abs(json);
  if (Array.isArray(json)) return json.reduce((sum: number, it) => sum + sumOf(it), 0);
  if (!isObject(json)) return 0;
  const big = bigIn(json);
  if (big !== undefined) return Number(big);
  return Object.values(json).reduce((sum: number, it) => sum + sumOf(it), 0);
}

/** The case of a JSON value; `undefined` if it is not a case. */
function caseOf<Case>(target: Target<Case>, less: Json): ReadCase<Case> | undefined {
  try {
    const read = target.fromJson(less);
    const value = target.repair?.(read) ?? read;
    const json = target.toJson(value);
    return { value, json, text: JSON.stringify(json) };
  } catch {
    return undefined;
  }
}

/** What becomes of a value if one of the values in it changes, the outer ones first. */
function* within(json: Json, own: (json: Json) => Iterable<Less>): Generator<Less> {
  yield* own(json);
  if (Array.isArray(json)) {
    for (const [index, element] of json.entries()) {
      for (const less of within(element, own)) {
        yield { ...less, json: json.with(index, less.json) };
      }
    }
  } else if (isObject(json)) {
    for (const [name, part] of Object.entries(json)) {
      for (const less of within(part, own)) yield { ...less, json: { ...json, [name]: less.json } };
    }
  }
}

function* lessOf(json: Json): Generator<Less> {
  yield* outerLessOf(json);
  yield* within(json, partsOf);
}

/** Lists that are members of the case, without a part. */
function* outerLessOf(json: Json): Generator<Less> {
  if (!isObject(json)) return;
  for (const [name, part] of Object.entries(json)) {
    if (!Array.isArray(part)) continue;
    for (const less of partsOf(part)) yield { ...less, json: { ...json, [name]: less.json } };
  }
}

/** A list or an object without a part. */
function* partsOf(json: Json): Generator<Less> {
  if (Array.isArray(json)) {
    for (let size = json.length; size >= 1; size = size > 1 ? Math.ceil(size / 2) : 0) {
      for (let from = 0; from < json.length; from += size) {
        yield { json: [...json.slice(0, from), ...json.slice(from + size)], member: false };
      }
    }
  } else if (isObject(json)) {
    for (const name of Object.keys(json)) {
      const { [name]: _, ...rest } = json;
      yield { json: rest, member: true };
    }
  }
}

type JsonObject = { readonly [name: string]: Json };

function isObject(json: Json): json is JsonObject {
  return json !== null && typeof json === "object" && !Array.isArray(json);
}
