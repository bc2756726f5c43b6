import { assert, assertEquals } from "@std/assert";
import { type Replayed, storedIn } from "../../../fuzz/engine/mod.ts";
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
