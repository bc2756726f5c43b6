import { assert, assertEquals } from "@std/assert";
import { Crew, type Replayed, storedIn } from "../../../fuzz/engine/mod.ts";
import { TargetRun, WHOLE } from "../../../fuzz/engine/target_run.ts";
import { run } from "./toy_runs.ts";
import { simulate } from "./simulated.ts";

async function withArtifacts(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync({ dir: "/tmp" });
  try {
    await test(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Changes the sidecar of an artifact. */
function change(artifact: string, changes: Readonly<Record<string, unknown>>): void {
  const path = `${artifact}.json`;
  const sidecar = JSON.parse(Deno.readTextFileSync(path)) as Record<string, unknown>;
  Deno.writeTextFileSync(path, JSON.stringify({ ...sidecar, ...changes }));
}

const files = (directory: string) =>
  [...Deno.readDirSync(directory)].map(({ name }) => name).sort();

Deno.test("fuzz() starts with stored cases: those that fail are reported as they are stored", async () => {
  await withArtifacts(async (artifacts) => {
    const first = await run(["two-bugs"], { artifacts });
    const stored = storedIn(artifacts);
    assertEquals(stored.map(({ name }) => name), first.failures.map((it) => it.artifact).sort());
    const before = files(artifacts);
    const replayed: Replayed[] = [];
    const told: string[] = [];
    const second = await run(["two-bugs"], {
      ...{ artifacts, stored, seed: 2, runs: 100 },
      reporter: {
        replayed: (it) => replayed.push(it),
        failed: ({ artifact = "" }) => told.push(artifact),
        found: ({ fault }) => told.push(`found ${fault.signature}`),
      },
    });
    assertEquals(replayed.map(({ name, verdict }) => [name, verdict]), [
      ...stored.map(({ name }) => [name, "same"]),
    ]);
    assertEquals(told, stored.map(({ name }) => name));
    assertEquals(second.failures.map(({ artifact }) => artifact), told);
    assertEquals([second.status, second.counts.cases], [1, 100]);
    assertEquals(files(artifacts), before);
  });
});

Deno.test("fuzz() names stored cases that pass now, and those that it cannot run", async () => {
  await withArtifacts(async (artifacts) => {
    await run(["two-bugs", "async-bug", "lost-promise"], { artifacts, runs: 20 });
    const [fixed = "", changed = "", unreadable = ""] = storedIn(artifacts).map(({ name }) => name);
    change(fixed, { target: "empty" });
    change(changed, { target: "async-bug", case: 77, signature: "another" });
    change(unreadable, { artifact: "diskproof-artifact-9" });
    const rest = storedIn(artifacts).slice(3).map(({ name }) => name);
    for (const name of rest) change(name, { target: "gone" });
    const replayed: Replayed[] = [];
    const { failures } = await run(["empty", "async-bug"], {
      ...{ artifacts, stored: storedIn(artifacts), runs: 1 },
      reporter: { replayed: (it) => replayed.push(it) },
    });
    assertEquals(replayed.map(({ name, verdict }) => [name, verdict]), [
      [fixed, "passed"],
      [changed, "other"],
      [unreadable, "skipped"],
      [`${rest.length} artifacts`, "skipped"],
    ]);
    const [, , bad, others] = replayed.map(({ reason = "" }) => reason);
    assert(bad?.includes("is not the sidecar of an artifact"), bad);
    assertEquals(others, "the run does not have their targets: gone");
    assertEquals(failures.map(({ found }) => found.fault.signature), ["async"]);
  });
});

Deno.test("TargetRun reports new failures however many are stored, and 16 of them", () => {
  const crew = new Crew({
    hire: () => {
      throw new Error("No worker is needed");
    },
    ...{ directory: "/nowhere", tools: {} },
    ...{ jobs: 1, timeout: 1, memoryMax: 1 },
  });
  const met: string[] = [];
  const run = new TargetRun(crew, {
    ...{ target: "toy", seed: 1, runs: 1, shard: WHOLE, causes: () => undefined },
    met: ({ fault }) => met.push(fault.signature),
  });
  for (let i = 0; i < 20; i++) run.know(`crash stored ${i}`);
  for (const signature of ["stored 19", ...Array.from({ length: 20 }, (_, i) => `new ${i}`)]) {
    const ref = { target: "toy", seed: 1, index: 0, path: [] };
    run.meet({ ref, fault: { kind: "crash", signature, message: "", stack: [] } });
  }
  assertEquals(met, Array.from({ length: 16 }, (_, i) => `new ${i}`));
});

Deno.test("fuzz() gives stored cases a tenth of its time", async () => {
  const given = { target: "slow", case: 0 };
  const stored = Array.from({ length: 50 }, (_, index) => ({ name: `case ${index}`, given }));
  const { replays, starts, told } = await simulate({ slow: { caseTime: 1, replayTime: 1000 } }, {
    ...{ stored, milliseconds: 60_000 },
  });
  assertEquals([replays, starts.get("slow")], [6, 6000]);
  assertEquals(told.map(({ event }) => event), ["replayed"]);
  const all = await simulate({ slow: { caseTime: 1, replayTime: 1000 } }, { stored, runs: 10 });
  assertEquals(all.replays, 50);
});
