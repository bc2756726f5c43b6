import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { caseOf, run } from "./toy_runs.ts";

Deno.test("fuzz() runs the requested number of cases and counts their reports", async () => {
  const { counts, reached, missed, status } = await run(["counting"], { runs: 3000 });
  assertEquals(status, 0);
  const skipped = counts.skipped["seven"] ?? 0;
  assertEquals(counts.cases + skipped, 3000);
  assertEquals(counts.depths.header + counts.depths.data, counts.cases);
  assert(skipped > 3000 / 14 && skipped < 3000 / 3, `${skipped} skipped`);
  assertEquals(reached, ["rule.three"]);
  assertEquals(missed, ["rule.never"]);
});

Deno.test("fuzz() gives the same counts for the same seed on any number of workers", async () => {
  const one = await run(["counting"], { runs: 3000 });
  const two = await run(["counting"], { runs: 3000, jobs: 2 });
  const other = await run(["counting"], { runs: 3000, seed: 2 });
  assertEquals(two.counts, one.counts);
  assertNotEquals(other.counts, one.counts);
});

Deno.test("fuzz() finds two bugs of one target, makes both small and goes on", async () => {
  const { counts, failures, status } = await run(["two-bugs", "counting"]);
  assertEquals(status, 1);
  const found = new Map(
    failures.map((failure) => [failure.found.fault.signature, caseOf(failure)]),
  );
  assertEquals([...found].sort(), [
    ["large", { n: 50_000, odd: false }],
    ["odd", { n: 11, odd: true }],
  ]);
  assertEquals(counts.cases + (counts.skipped["seven"] ?? 0), 600);
  assert((counts.failures["odd"] ?? 0) > 10);
  assert(failures.every((failure) => failure.found.repeats === true));
  assert(failures.every((failure) => failure.found.shrink?.complete === true));
});

Deno.test("fuzz() makes failures of asynchronous targets small too", async () => {
  const { failures } = await run(["async-bug"]);
  assertEquals(failures.map(caseOf), [77]);
});

Deno.test("fuzz() blames a case for a promise that it loses", async () => {
  const { failures } = await run(["lost-promise"], { runs: 20 });
  assertEquals(failures.map(caseOf), [10]);
  assertEquals(
    failures.map((failure) => failure.found.fault.message),
    ["RangeError: lost"],
  );
});

Deno.test("fuzz() reports a failure that does not recur", async () => {
  const { failures, status } = await run(["forgetful"]);
  assertEquals(failures.map((failure) => failure.found.repeats), [false]);
  assertEquals(status, 1);
});

Deno.test("fuzz() gives time that a target does not need to the later ones", async () => {
  const { results } = await run(["needs-qemu", "broken-generator", "empty"], {
    runs: Infinity,
    milliseconds: 1500,
  });
  assertEquals(results.map((result) => result.end), ["needs qemu-img", "broken", "time"]);
});

Deno.test("fuzz() fails for a generator that is broken, and names the case", async () => {
  const { results, status } = await run(["broken-generator"]);
  assertEquals(results[0]?.message, "Cannot generate case 0 of seed 1: no case for you");
  assertEquals(status, 1);
});

Deno.test("fuzz() ends with 3 for a peer that cannot be started, and with 1 if more fails", async () => {
  const alone = await run(["no-peer"]);
  assertEquals([alone.status, alone.failures.length], [3, 0]);
  assertEquals((await run(["no-peer", "async-bug"])).status, 1);
});

Deno.test("fuzz() ends with 3 and no failure for trouble of the harness", async () => {
  for (const name of ["no-images", "full-disk"]) {
    const { status, failures, results } = await run([name]);
    assertEquals([status, failures, results[0]?.end], [3, [], "trouble"], name);
    assert(results[0]?.message !== undefined);
  }
});

Deno.test("fuzz() skips targets that need qemu-img if there is none", async () => {
  assertEquals((await run(["needs-qemu", "empty"])).status, 0);
  assertEquals((await run(["needs-qemu"])).status, 3);
  assertEquals(
    (await run(["needs-qemu"], { tools: { "qemu-img": "7.2.22", "qemu-io": "7.2.22" } })).counts
      .cases,
    300,
  );
});

Deno.test("fuzz() gives each case an empty directory", async () => {
  const { counts, status } = await run(["directory"], { runs: 50 });
  assertEquals([status, counts.depths.accepted], [0, 50]);
});

Deno.test("fuzz() reports a failure that it cannot keep", async () => {
  const { failures, status } = await run(["async-bug"], { artifacts: "/dev/null/nowhere" });
  assertEquals(status, 1);
  assertEquals(failures.length, 1);
  assert(failures[0]?.artifactError !== undefined);
});
