import * as fc from "fast-check";
import type { Pattern } from "../../src/format/mod.ts";

/** Draws `usual` most of the time, and shrinks to it. */
export function mostly<Value>(
  usual: Value,
  arbitrary: fc.Arbitrary<Value>,
  weight = 3,
): fc.Arbitrary<Value> {
  return fc.oneof(
    { withCrossShrink: true },
    { weight, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary },
  );
}

/**
 * One of some values, of which the first is the simplest. Unlike `fc.constantFrom`, it knows a value
 * again that is equal to one of them, as one is that was stored.
 */
export function picks<Value>(values: readonly Value[]): fc.Arbitrary<Value> {
  const indices = new Map(values.map((value, index) => [JSON.stringify(value), index]));
  return fc.noBias(fc.nat(values.length - 1)).map(
    (index) => values[index] as Value,
    (value) => {
      const index = indices.get(JSON.stringify(value));
      if (index === undefined) throw new TypeError("Cannot pick from an empty list");
      return index;
    },
  );
}

/** A 64-bit word: 0, a single bit, or anything. */
export function word64(): fc.Arbitrary<bigint> {
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 2, arbitrary: fc.constant(0n) },
    {
      weight: 2,
      arbitrary: fc.nat(63).map((bit) => 1n << BigInt(bit), (word) => bitOf(word as bigint)),
    },
    { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }) },
  );
}

function bitOf(word: bigint): number {
  const bit = word.toString(2).length - 1;
  if (word <= 0n || word !== 1n << BigInt(bit)) {
    throw new RangeError("Cannot name the bit of a mask of several");
  }
  return bit;
}

/** Number of seeds other than 0 of the content of compressed clusters of at most so many bits. */
const SEEDS: readonly (readonly [bits: number, seeds: number])[] = [[12, 8], [15, 2], [16, 1]];

/** A pattern for a compressed cluster. Compressing takes so long that there are few of them. */
export function compressedPattern({ kind, seed }: Pattern, clusterBits: number): Pattern {
  const [, seeds] = SEEDS.find(([bits]) => clusterBits <= bits) ?? [0, 0];
  // Cases shrink to seed 0.
  return { kind, seed: seed === 0 || seeds === 0 ? 0 : 1 + seed % seeds };
}

/** Bytes that follow from a few numbers. */
export function patterns(): fc.Arbitrary<Pattern> {
  return fc.record({
    kind: fc.constantFrom("fill", "ramp", "text", "noise", "zero", "single"),
    seed: fc.nat(255),
  });
}

/** Short text of letters, digits, punctuation and what takes more than one byte of UTF-8. */
export function words(maxLength: number): fc.Arbitrary<string> {
  const unit = fc.constantFrom(..."ab0123456789-_. ,=é€😀");
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 4, arbitrary: fc.string({ unit, maxLength: Math.min(maxLength, 8) }) },
    { weight: 1, arbitrary: fc.string({ unit, maxLength, size: "max" }) },
  );
}

/** Names of files, out of such letters, that can be made in a directory; cut, they still can. */
export function fileNames(letters: string): fc.Arbitrary<string> {
  const unit = fc.constantFrom(...letters);
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 4, arbitrary: fc.string({ unit, minLength: 1, maxLength: 12 }) },
    { weight: 1, arbitrary: fc.string({ unit, minLength: 1, maxLength: 120, size: "max" }) },
  );
}

const HERE = "./";

/** The name of a file behind so many `./` that it is about as long as asked. */
export function longPath(name: string, length: number): string {
  return HERE.repeat(Math.max(0, Math.floor((length - name.length) / HERE.length))) + name;
}

/** What {@link longPath} was given. */
export function shortPath(path: string): { name: string; length: number } {
  let from = 0;
  while (path.startsWith(HERE, from)) from += HERE.length;
  return { name: path.slice(from), length: from === 0 ? 0 : path.length };
}
