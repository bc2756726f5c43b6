import { assert, assertEquals } from "@std/assert";
import { Bandit } from "../../../fuzz/engine/bandit.ts";

function assertNear(actual: number, expected: number, tolerance: number): void {
  assert(Math.abs(actual - expected) <= tolerance, `${actual} instead of ${expected}`);
}

/** Runs slices of 100 ms, and returns the share of each arm in the time. */
function sharesOf(
  weights: readonly number[],
  paid: (arm: number, time: number) => number,
  { slices = 10_000, open = (_time: number) => weights.map((_, arm) => arm), seed = 1 } = {},
): number[] {
  const bandit = new Bandit(weights, seed);
  const times = weights.map(() => 0);
  for (let slice = 0; slice < slices; slice++) {
    const arm = bandit.choose(open(slice));
    times[arm] = (times[arm] ?? 0) + 1;
    bandit.add(arm, { milliseconds: 100, novel: paid(arm, slice) });
  }
  return times.map((time) => time / slices);
}

Deno.test("Bandit starts every arm once, in their order, before it runs one again", () => {
  const bandit = new Bandit([1, 9, 1], 1);
  const chosen = [0, 1, 2].map(() => bandit.choose([0, 1, 2]));
  assertEquals(chosen, [0, 1, 2]);
});

Deno.test("Bandit splits time by weight among arms that pay the same", () => {
  for (const novel of [0, 4]) {
    const shares = sharesOf([1, 1, 4], () => novel);
    for (const [arm, expected] of [1 / 6, 1 / 6, 4 / 6].entries()) {
      assertNear(shares[arm] ?? 0, expected, 0.03);
    }
  }
});

Deno.test("Bandit gives an arm that pays more than its weight, and no arm less than half of that", () => {
  const [good = 0, heavy = 0, poor = 0] = sharesOf([1, 4, 1], (arm) => arm === 0 ? 25 : 0);
  assert(good > 0.45, `${good}`);
  assertNear(heavy, 4 / 12, 0.04);
  assertNear(poor, 1 / 12, 0.02);
});

Deno.test("Bandit turns to another arm when one has stopped paying", () => {
  const half = 5000;
  const after = [0, 0];
  sharesOf([1, 1], (arm, time) => {
    if (time >= 0.6 * 2 * half) after[arm] = (after[arm] ?? 0) + 1;
    return (time < half) === (arm === 0) ? 25 : 0;
  });
  const [first = 0, second = 0] = after;
  assert(second > 2.5 * first, `${first} ${second}`);
});

Deno.test("Bandit gives the time of arms that have ended to the others, by weight", () => {
  const shares = sharesOf([5, 1, 2], () => 0, {
    open: (time) => time < 1000 ? [0, 1, 2] : [1, 2],
    slices: 31_000,
  });
  const [, second = 0, third = 0] = shares;
  assertNear(third / second, 2, 0.1);
  assert((shares[0] ?? 1) < 0.03);
});

Deno.test("Bandit counts a slice that another worker has not ended", () => {
  const bandit = new Bandit([1, 1], 1);
  bandit.choose([0, 1]);
  bandit.choose([0, 1]);
  bandit.add(0, { milliseconds: 100, novel: 100 });
  // The second arm is not yet behind: its slice is on its way.
  const chosen = Array.from({ length: 20 }, () => bandit.choose([0, 1]));
  assert(chosen.filter((arm) => arm === 0).length > chosen.filter((arm) => arm === 1).length);
  assert(chosen.includes(1));
});

Deno.test("Bandit makes the same choices for the same seed", () => {
  const choices = (seed: number): string => {
    const bandit = new Bandit([1, 2, 3], seed);
    return Array.from({ length: 200 }, () => {
      const arm = bandit.choose([0, 1, 2]);
      bandit.add(arm, { milliseconds: 100, novel: arm });
      return arm;
    }).join("");
  };
  assertEquals(choices(7), choices(7));
  assert(choices(7) !== choices(8));
});
