import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { anyPath, featuresOf } from "../../../../fuzz/engine/kept/features.ts";
import { CASE_MAX, Guide } from "../../../../fuzz/engine/kept/guide.ts";
import { Pool } from "../../../../fuzz/engine/kept/pool.ts";
import { randomAt } from "../../../../fuzz/engine/random.ts";
import type { CaseReport, Target } from "../../../../fuzz/engine/target.ts";
import { toy } from "../toys.ts";

const stream = { seed: 1, target: "toy" };

const broken = (...rules: string[]): CaseReport => ({ depth: "tables", rules });

Deno.test("featuresOf() has rules and pairs of rules in any order, and what the target adds", () => {
  const [a, b] = [featuresOf(broken("a")), featuresOf(broken("b"))];
  const both = featuresOf(broken("b", "a", "b"));
  assertEquals(both.length, 4);
  assert([...a, ...b].every((feature) => both.includes(feature)));
  assertEquals(new Set(featuresOf(broken("a", "b"))), new Set(both));
  assertEquals(featuresOf({ ...broken("a"), features: ["x"] }).length, a.length + 1);
  assertEquals(featuresOf({ ...broken("a"), skipped: "no tool" }), []);
});

Deno.test("featuresOf() gives a pair another number than its rules have", () => {
  const names = Array.from({ length: 100 }, (_, index) => `rule.${index}`);
  const found = new Set(names.flatMap((a) => names.flatMap((b) => featuresOf(broken(a, b)))));
  // The depth, 100 rules, and 99 * 100 / 2 pairs.
  assertEquals(found.size, 1 + 100 + 4950);
  assert([...found].every(Number.isSafeInteger));
});

Deno.test("anyPath() leaves out indices", () => {
  assertEquals(anyPath("/l2[0]/3/offset"), "/l2[]/offset");
  assertEquals(anyPath("/snapshots/12"), "/snapshots");
  assertEquals(anyPath("/header/l1_size"), "/header/l1_size");
});

Deno.test("Pool keeps a bounded number of cases, rather those with rare features", () => {
  const pool = new Pool<string>();
  const random = randomAt(stream, 0, 9);
  const [common] = featuresOf(broken("common")) as [number];
  for (let i = 0; i < 1000; i++) pool.meet([common]);
  const rare = featuresOf(broken("rare")).slice(1);
  pool.meet(rare);
  pool.keep({ value: "rare", size: 1, features: rare }, random);
  for (let i = 0; i < 500; i++) {
    pool.keep({ value: "common", size: 1, features: [common] }, random);
  }
  assertEquals(pool.size, 256);
  assert(pool.cases.some(({ value }) => value === "rare"));
});

Deno.test("Pool counts a bounded number of features", () => {
  const pool = new Pool<string>();
  const features = Array.from({ length: 2 ** 18 }, (_, feature) => feature);
  assertEquals(pool.meet(features).length, 2 ** 18);
  assertEquals(pool.meet([2 ** 18]), []);
});

/** Breaks the rule of each digit that occurs in a number. */
function digits(more: Partial<Target<number>> = {}): Target<number> {
  return {
    ...toy("digits", fc.nat({ max: 9 }), (value) => ({
      depth: "tables",
      rules: [...String(value)],
    })),
    mutate: (value, { random }) => value * 10 + random.nextInt(0, 9),
    ...more,
  };
}

function runGuided(target: Target<number>, cases: number): { made: string[]; fresh: number } {
  const guide = new Guide(target as Target);
  const made: string[] = [];
  let fresh = 0;
  for (let index = 0; index < cases; index++) {
    const mutated = guide.mutated(stream, index, () => index % 10);
    if (mutated === undefined) fresh++;
    else made.push(mutated.text);
    const value = (mutated?.value ?? index % 10) as number;
    guide.learn(value, target.run(value, undefined as never) as CaseReport, { stream, index });
  }
  return { made, fresh };
}

Deno.test("Guide makes about a third of the cases of kept ones, the same ones for the same seed", () => {
  const { made, fresh } = runGuided(digits(), 400);
  assert(fresh > 220 && made.length > 100, `${fresh} fresh, ${made.length} made`);
  assertEquals(runGuided(digits(), 400).made, made);
  // Only a mutation of a mutation has three digits.
  assert(made.some((text) => text.length >= 3));
});

Deno.test("Guide draws fresh cases for a target that cannot mutate them", () => {
  const { mutate: _, ...plain } = digits();
  assertEquals(runGuided(plain, 50), { made: [], fresh: 50 });
});

Deno.test("Guide runs no mutation that is longer than a case that is kept", () => {
  const long = { ...digits(), toJson: () => "x".repeat(CASE_MAX) };
  assertEquals(runGuided(long, 100).made, []);
});

Deno.test("Guide mutates no case that is rejected by its header or breaks many rules", () => {
  for (const hopeless of [{ depth: "header" as const }, { rules: ["a", "b", "c", "d", "e"] }]) {
    const run = (value: number) => ({ ...broken(String(value)), ...hopeless });
    assertEquals(runGuided(digits({ run }), 100).made, []);
  }
});

Deno.test("Guide keeps of several images the one that shows something new", () => {
  const target = {
    ...toy<number[]>("list", fc.constant([]), () => broken()),
    part: (value: number[], index: number) => value.slice(index, index + 1),
  };
  const guide = new Guide(target as unknown as Target);
  const report = { ...broken("a"), more: [broken("a"), broken("a", "b")] };
  // The depth, two rules, and the pair of them.
  const { novel, kept } = guide.learn([1, 2, 3], report, { stream, index: 0 });
  assertEquals(novel, 4);
  assertEquals(kept.map(({ text }) => text), ["[1]", "[3]"]);
  assertEquals(guide.learn([4, 5, 6], report, { stream, index: 1 }), { novel: 0, kept: [] });
});
