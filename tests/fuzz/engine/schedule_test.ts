import { assert, assertEquals } from "@std/assert";
import { ShrinkShare } from "../../../fuzz/engine/budget.ts";
import { simulate } from "./simulated.ts";

const sorted = (indices: readonly number[]) => indices.toSorted((a, b) => a - b);

function assertNear(actual: number, expected: number, tolerance: number): void {
  assert(Math.abs(actual - expected) <= tolerance, `${actual} instead of ${expected}`);
}

Deno.test("fuzz() splits its time among the targets by weight", async () => {
  const { summary } = await simulate({ one: { caseTime: 1 }, two: { caseTime: 10 } }, {
    milliseconds: 60_000,
  });
  assertEquals(summary.results.map(({ end }) => end), ["time", "time"]);
  const [one = 0, two = 0] = summary.results.map(({ milliseconds }) => milliseconds);
  assertEquals(one + two, 60_000);
  assertNear(one, 30_000, 1000);
  assertEquals(summary.results.map(({ counts }) => counts.cases), [one, two / 10]);
});

Deno.test("fuzz() runs every target from the first second", async () => {
  const names = Array.from({ length: 25 }, (_, index) => `target ${index}`);
  const behaviours = Object.fromEntries(names.map((name) => [name, { caseTime: 20 }]));
  const { starts } = await simulate(behaviours, { milliseconds: 60_000 });
  assertEquals([...starts.keys()], names);
  assert([...starts.values()].every((start) => start <= 1000), [...starts.values()].join(" "));
});

Deno.test("fuzz() starts targets that need a tool after the others", async () => {
  const needing = { caseTime: 1, needs: ["qemu-img"] as const };
  const { starts, summary } = await simulate({ needing, pure: { caseTime: 1 } }, {
    milliseconds: 1000,
    tools: { "qemu-img": "7.2.22" },
  });
  assertEquals([...starts.keys()], ["pure", "needing"]);
  assertEquals(summary.results.map(({ target }) => target), ["needing", "pure"]);
});

Deno.test("fuzz() gives a target whose cases show new things more time", async () => {
  const { summary } = await simulate({
    dull: { caseTime: 1 },
    rich: { caseTime: 1, novel: () => 1 },
  }, { milliseconds: 60_000 });
  const [dull = 0, rich = 0] = summary.results.map(({ milliseconds }) => milliseconds);
  assert(rich > 2 * dull, `${rich} ms`);
  assertNear(dull, 15_000, 1500);
});

Deno.test("fuzz() goes on with cases while it makes a failure smaller", async () => {
  const { starts, spent, summary, worked } = await simulate({
    failing: {
      caseTime: 10,
      fails: (index) => index === 3 ? "bug" : undefined,
      shrinkTime: 10_000,
    },
    other: { caseTime: 10 },
  }, { milliseconds: 60_000 });
  assertEquals([...starts.keys()], ["failing", "other"]);
  assertEquals(summary.failures.map(({ found }) => found.shrink?.complete), [true]);
  // Cases get as much time as each stretch of shrinking took, before the next one.
  assertEquals(worked.slice(0, 7).map(({ what }) => what), [
    ...["cases", "shrinking", "cases", "shrinking", "cases", "shrinking", "cases"] as const,
  ]);
  const [, first, second, third] = worked.map(({ milliseconds }) => milliseconds);
  assertEquals([first, third], [1000, 2000]);
  assertNear(second ?? 0, 1000, 110);
  assert(spent.shrinking <= 30_000);
});

Deno.test("fuzz() reports a failure when it is found, and again when it is small", async () => {
  const target = {
    caseTime: 10,
    fails: (index: number) => index === 3 ? "bug" : undefined,
    shrinkTime: 900,
  };
  const { told } = await simulate({ target }, { milliseconds: 10_000 });
  assertEquals(told.slice(0, 2).map(({ event }) => event), ["found", "failed"]);
  assert((told[0]?.at ?? Infinity) <= 200);
});

Deno.test("fuzz() gives time that a target does not need to the later ones", async () => {
  const { summary, elapsed } = await simulate({
    first: { caseTime: 1, kills: () => "hangs" },
    second: { caseTime: 1 },
  }, { milliseconds: 400_000 });
  const [first, second] = summary.results;
  assertEquals([first?.end, second?.end, elapsed], ["hung", "time", 400_000]);
  assertEquals((first?.milliseconds ?? 0) + (second?.milliseconds ?? 0), 400_000);
  assert((second?.milliseconds ?? 0) > 200_000);
});

Deno.test("fuzz() keeps to its time when failures take long to shrink", async () => {
  const target = {
    caseTime: 1,
    fails: (index: number) => index % 10 === 3 ? `bug ${index % 170}` : undefined,
    shrinkTime: 3_600_000,
  };
  const { summary, elapsed, spent } = await simulate({ target }, {
    milliseconds: 6000,
    shrinkMilliseconds: 3000,
  });
  assertEquals(summary.status, 1);
  // The case at hand is run to its end.
  assert(elapsed <= 6000 + 3000 + target.caseTime, `${elapsed} ms`);
  // Shrinking has at most half of what was left when the first failure was met.
  assert(spent.shrinking <= 3000, `${spent.shrinking} ms`);
  assert(spent.cases >= 3000, `${spent.cases} ms`);
  assertEquals(summary.failures.length, 16);
});

Deno.test("fuzz() shrinks after its time what it could not shrink within", async () => {
  const target = {
    caseTime: 100,
    fails: (index: number) => index === 50 ? "late" : undefined,
    shrinkTime: 2000,
  };
  const within = await simulate({ target }, { milliseconds: 6000, shrinkMilliseconds: 3000 });
  const [failure] = within.summary.failures;
  assertEquals(failure?.found.shrink?.complete, true);
  assert(within.elapsed > 6000 && within.elapsed <= 9000 + target.caseTime, `${within.elapsed} ms`);
  const without = await simulate({ target }, { milliseconds: 6000, shrinkMilliseconds: 1 });
  assertEquals(without.summary.failures.map(({ found }) => found.shrink?.complete), [false]);
  assert(without.elapsed <= 6001 + target.caseTime, `${without.elapsed} ms`);
});

Deno.test("fuzz() divides the time after the run among the failures that are left", async () => {
  const target = {
    caseTime: 100,
    fails: (index: number) => index >= 56 ? `bug ${index}` : undefined,
    shrinkTime: 1000,
  };
  const { summary } = await simulate({ target }, {
    milliseconds: 6000,
    shrinkMilliseconds: 4000,
  });
  assert(summary.failures.length > 1);
  assert(summary.failures.every(({ found }) => found.shrink?.complete === true));
});

Deno.test("ShrinkShare gives all failures together half of the remaining time, each half of that", () => {
  const share = new ShrinkShare(10_000, { jobs: 1, unlimited: 0 });
  const granted = [share.take(2000), share.take(3000), share.take(4000)];
  assertEquals(granted, [2000, 1000, 500]);
  share.giveBack(1500);
  assertEquals(share.take(5000), 1000);
  assertEquals(share.take(9990), 0);
});

Deno.test("ShrinkShare has its own time where the run has no limit", () => {
  const share = new ShrinkShare(Infinity, { jobs: 1, unlimited: 8000 });
  assertEquals([share.take(0), share.take(1e9)], [4000, 2000]);
});

Deno.test("fuzz() runs every case once although some end their worker", async () => {
  const target = {
    caseTime: 1,
    kills: (index: number) => index % 250 === 7 ? "hangs" as const : undefined,
  };
  const { summary, ran } = await simulate({ target }, { runs: 1000 });
  const [result] = summary.results;
  assertEquals([result?.end, summary.counts.cases], ["runs", 1000]);
  assertEquals(summary.counts.failures, { timeout: 4 });
  assertEquals(sorted([...new Set(ran)]).length, 996);
  assertEquals(summary.failures.map(({ found }) => found.index), [7]);
});

Deno.test("fuzz() finds the case that ends its worker silently", async () => {
  const target = {
    caseTime: 1,
    kills: (index: number) => index === 700 ? "silently" as const : undefined,
  };
  const { summary } = await simulate({ target }, { runs: 1000 });
  assertEquals(summary.counts.cases, 1000);
  assertEquals(
    summary.failures.map(({ found }) => [found.fault.signature, found.index]),
    [["worker exit", 700]],
  );
});

Deno.test("fuzz() gives up a target of which most cases hang", async () => {
  const target = {
    caseTime: 1,
    kills: (index: number) => index % 2 === 0 ? "hangs" as const : undefined,
  };
  const { summary, elapsed } = await simulate({ target }, { runs: 1000 });
  assertEquals(summary.results.map(({ end }) => end), ["hung"]);
  assertEquals(summary.status, 1);
  assert(elapsed < 200_000, `${elapsed} ms`);
});

Deno.test("shards have no case in common, and all of them together have every case", async () => {
  const kills = (index: number) => index === 500 ? "hangs" as const : undefined;
  const all: number[] = [];
  for (const first of [0, 1, 2]) {
    const target = { caseTime: 1, kills };
    const { ran, summary } = await simulate({ target }, { runs: 1000, shard: { first, of: 3 } });
    const hung = 500 % 3 === first ? 1 : 0;
    assertEquals(summary.counts.cases, first === 0 ? 334 : 333);
    assertEquals(summary.failures.map(({ found }) => found.index), hung === 1 ? [500] : []);
    assert(ran.every((index) => index % 3 === first));
    // Those before the one that hangs run again.
    all.push(...new Set(ran));
  }
  assertEquals(sorted(all), Array.from({ length: 1000 }, (_, i) => i).filter((i) => i !== 500));
});
