import { assert, assertEquals } from "@std/assert";
import { caseOf, run } from "./toy_runs.ts";

Deno.test("fuzz() goes on after a case that hangs, and shrinks it to the one edit that it hangs over", async () => {
  const { results, counts, failures, status } = await run(["rare-hang"], {
    runs: 120,
    timeout: 1000,
  });
  assertEquals(status, 1);
  assertEquals(results.map(({ end }) => end), ["runs"]);
  assertEquals(counts.cases, 120);
  assert((counts.failures["timeout"] ?? 0) > 1);
  const [failure, ...others] = failures;
  assertEquals(others, []);
  assertEquals([failure?.found.fault.kind, failure?.found.repeats], ["timeout", true]);
  assertEquals((caseOf(failure) as { edits: number[] }).edits, [7]);
  assertEquals(failure?.found.shrink?.complete, true);
});

Deno.test("fuzz() reports hangs in different steps of a case as different failures", async () => {
  const { failures } = await run(["hangs-in-steps"], {
    runs: 30,
    timeout: 1000,
    shrinkMilliseconds: 1,
  });
  const signatures = failures.map(({ found }) => found.fault.signature);
  assertEquals(signatures.sort(), ["timeout in step map", "timeout in step open"]);
});

Deno.test("fuzz() counts every case once although some end their worker", async () => {
  const one = await run(["rare-hang"], { runs: 60, timeout: 1000 });
  const two = await run(["rare-hang"], { runs: 60, timeout: 1000, jobs: 2 });
  assertEquals(two.counts, one.counts);
});

Deno.test("fuzz() reports a case that fills the memory and goes on", async () => {
  const { results, counts, failures } = await run(["rare-hoard"], {
    runs: 60,
    memoryMax: 400 * 2 ** 20,
  });
  assertEquals(results.map(({ end }) => end), ["runs"]);
  assertEquals(counts.cases, 60);
  assertEquals(failures.map(({ found }) => found.fault.kind), ["oom"]);
});
