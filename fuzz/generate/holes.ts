import * as fc from "fast-check";
import type { FarHole } from "../../src/format/mod.ts";

/** A hole that reaches far, with every member. */
export interface HoleDraw extends Omit<FarHole, "alike"> {
  readonly alike: boolean;
}

/** One image in so many has a hole that reaches far, if any has. */
export const FAR_SHARE = 10;

/** Bits of the least power of two that offsets are near to. */
const LEAST = 32;

/**
 * Holes that reach far.
 *
 * @param bits the bits of the largest power of two, and of the first one at which masks of offsets go
 * wrong: half of the offsets are near to one from there on. Other offsets are multiples of `unit`
 */
export function holeDraws(
  { most, masks, unit }: { readonly most: number; readonly masks: number; readonly unit: number },
): fc.Arbitrary<HoleDraw> {
  const powers = fc.oneof(
    { withCrossShrink: true },
    fc.integer({ min: LEAST, max: most }),
    fc.integer({ min: masks, max: most }),
  );
  return fc.record({
    from: fc.oneof({ withCrossShrink: true }, fc.nat(8), fc.nat(40)),
    offset: fc.oneof(
      { withCrossShrink: true },
      { weight: 2, arbitrary: powers.map((bits) => 2 ** bits) },
      // A part or a table is on both sides of the power of two.
      {
        weight: 2,
        arbitrary: fc.tuple(powers, fc.integer({ min: 9, max: 16 }))
          .map(([bits, below]) => 2 ** bits - 2 ** below),
      },
      {
        weight: 1,
        arbitrary: fc.nat({ max: Math.min(2 ** most / unit, Number.MAX_SAFE_INTEGER) })
          .map((count) => count * unit, (offset) => {
            if (typeof offset !== "number") throw new TypeError("Cannot count units");
            return offset / unit;
          }),
      },
    ),
    alike: fc.boolean(),
  });
}

/** The hole of a draw. */
export function holeOf({ from, offset, alike }: HoleDraw): FarHole {
  return { from, offset, ...(alike ? { alike } : {}) };
}

/** The draw of a hole, or of one that is not there. */
export function holeDrawOf(hole: FarHole = { from: 0, offset: 0 }): HoleDraw {
  return { ...hole, alike: hole.alike === true };
}
