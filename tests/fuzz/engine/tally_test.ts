import { assertEquals } from "@std/assert";
import { NO_COUNTS, sumCounts, Tally, total } from "../../../fuzz/engine/tally.ts";

Deno.test("Tally counts depths, rules, divergences, reasons and failures", () => {
  const tally = new Tally();
  tally.add({ depth: "header", rules: ["a", "b"] });
  tally.add({ depth: "data", rules: ["a"], divergences: ["d"] });
  tally.add({ depth: "accepted", rules: ["c"], skipped: "no tool" });
  tally.fail("bug");
  assertEquals(tally.counts(), {
    cases: 3,
    depths: { header: 1, tables: 0, data: 1, accepted: 0 },
    rules: { a: 2, b: 1 },
    divergences: { d: 1 },
    skipped: { "no tool": 1 },
    failures: { bug: 1 },
  });
});

Deno.test("Tally counts names that objects inherit like all others", () => {
  const tally = new Tally();
  tally.fail("constructor");
  tally.fail("constructor");
  assertEquals(sumCounts([tally.counts()]).failures, { constructor: 2 });
});

Deno.test("sumCounts() adds what several workers counted", () => {
  const [one, other] = [new Tally(), new Tally()];
  one.add({ depth: "header", rules: ["a"] });
  other.add({ depth: "header", rules: ["a", "b"] });
  other.fail("bug");
  const sum = sumCounts([one.counts(), NO_COUNTS, other.counts()]);
  assertEquals(sum.cases, 3);
  assertEquals(sum.depths.header, 2);
  assertEquals(sum.rules, { a: 2, b: 1 });
  assertEquals(total(sum.failures), 1);
});
