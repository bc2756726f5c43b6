import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { eventsOf, runTask, withDirectory } from "./child.ts";
import { runQuickly } from "./task.ts";

/** The files of one run of the canary, by name: every test starts from the same ones. */
const kept = new Map<string, Uint8Array>();
let name = "";

/** The artifact of the canary's failure with text, in a directory. */
async function canaryArtifact(directory: string): Promise<string> {
  if (kept.size === 0) name = await runCanary(directory);
  for (const [file, bytes] of kept) Deno.writeFileSync(`${directory}/${file}`, bytes);
  return `${directory}/${name}`;
}

/** Runs the canary, and keeps its files. */
async function runCanary(directory: string): Promise<string> {
  const args = ["canary", "--seed", "7", "--runs", "300", "--json", "--artifacts", directory];
  const failure = eventsOf(await runQuickly("fuzz", args))
    .find((event) => event.event === "failure" && event.signature === "canary.text");
  const files = Array.from(Deno.readDirSync(directory)).filter(({ isFile }) => isFile);
  for (const { name } of files) kept.set(name, Deno.readFileSync(`${directory}/${name}`));
  return String(failure?.artifact).replace(`${directory}/`, "");
}

/** Changes members of an artifact's sidecar. */
function edit(artifact: string, changes: Readonly<Record<string, unknown>>): void {
  const sidecar = JSON.parse(Deno.readTextFileSync(`${artifact}.json`));
  Deno.writeTextFileSync(`${artifact}.json`, JSON.stringify({ ...sidecar, ...changes }));
}

const shortText = { length: 39, pattern: { kind: "text", seed: 0 } };
const noise = { length: 40, pattern: { kind: "noise", seed: 0 } };
const zeros = { length: 40, pattern: { kind: "zero", seed: 0 } };

Deno.test(
  "repro replays an artifact to the same failure, from the image or the sidecar",
  withDirectory(async (directory) => {
    const artifact = await canaryArtifact(directory);
    for (const [file, run] of [[artifact, runTask], [`${artifact}.json`, runQuickly]] as const) {
      const { status, stdout, stderr } = await run("repro", [file]);
      assertEquals([status, stderr], [1, ""]);
      assertStringIncludes(stdout, "FAILURE in canary: crash, canary.text\n");
      assertMatch(stdout, /fails as before: crash, canary\.text\n$/);
    }
  }),
);

Deno.test(
  "repro reads the case from the sidecar, not from the seed",
  withDirectory(async (directory) => {
    const artifact = await canaryArtifact(directory);
    edit(artifact, { seed: 1, path: "0" });
    assertEquals((await runQuickly("repro", [artifact])).status, 1);
  }),
);

Deno.test(
  "repro exits with 0 when the case passes now",
  withDirectory(async (directory) => {
    const artifact = await canaryArtifact(directory);
    edit(artifact, { case: shortText });
    const { status, stdout } = await runQuickly("repro", [artifact]);
    assertEquals(status, 0);
    assertMatch(stdout, /passes now; it failed with crash, canary\.text\n$/);
    assertStringIncludes(stdout, "note: this version builds canary.bin with different bytes\n");
  }),
);

Deno.test(
  "repro exits with 1 and says so when the case fails in another way",
  withDirectory(async (directory) => {
    const artifact = await canaryArtifact(directory);
    edit(artifact, { case: noise });
    const { status, stdout } = await runQuickly("repro", [artifact]);
    assertEquals(status, 1);
    assertMatch(stdout, /fails differently: crash, RangeError at fuzz\/targets\/canary\.ts/);
  }),
);

Deno.test(
  "repro exits with 3 when the target skips the case",
  withDirectory(async (directory) => {
    const artifact = await canaryArtifact(directory);
    edit(artifact, { case: zeros });
    assertEquals((await runQuickly("repro", [artifact])).status, 3);
  }),
);

Deno.test(
  "repro exits with 2 and one line for a file that it cannot use",
  withDirectory(async (directory) => {
    const refused = async (args: string[], line: RegExp) => {
      const { status, stdout, stderr } = await runQuickly("repro", args);
      assertEquals([status, stdout], [2, ""]);
      assertMatch(stderr, line);
      assertEquals(stderr.split("\n").length, 2);
    };
    await refused([], /^diskproof: give one artifact/);
    await refused([`${directory}/none`], /^diskproof: Cannot replay .*: there is no such file/);
    const artifact = await canaryArtifact(directory);
    edit(artifact, { case: 5 });
    await refused([artifact], /^diskproof: Cannot replay /);
    edit(artifact, { target: "gone" });
    await refused([artifact], /unknown target gone/);
    edit(artifact, { artifact: "diskproof-artifact-0" });
    await refused([artifact], /is not the sidecar of an artifact/);
  }),
);

Deno.test(
  "repro prints one JSON line",
  withDirectory(async (directory) => {
    const artifact = await canaryArtifact(directory);
    const outcome = await runQuickly("repro", [artifact, "--json"]);
    assertEquals(outcome.status, 1);
    const [event, ...others] = eventsOf(outcome);
    assertEquals([event?.event, event?.verdict, others.length], ["replayed", "same", 0]);
  }),
);

Deno.test(
  "minimize makes a case smaller, and leaves a minimal one unchanged",
  withDirectory(async (directory) => {
    const artifact = await canaryArtifact(directory);
    const args = (file: string) => [file, "--time", "20s", "--artifacts", directory];
    const same = await runQuickly("minimize", args(artifact));
    assertEquals(same.status, 0);
    assertMatch(same.stdout, /is as small as possible\n$/);

    const large = `${directory}/crash-${"0".repeat(40)}`;
    Deno.renameSync(artifact, large);
    Deno.renameSync(`${artifact}.json`, `${large}.json`);
    edit(large, { case: { length: 400, pattern: { kind: "text", seed: 90 } } });
    const smaller = await runQuickly("minimize", args(large));
    assertEquals(smaller.status, 0);
    const [, name = ""] = /\n(\S+) is smaller\n$/.exec(smaller.stdout) ?? [];
    assertEquals(name, artifact);
    assertEquals((await runQuickly("repro", [name])).status, 1);
    assertEquals(Deno.statSync(name).size, 40);
  }),
);

Deno.test(
  "minimize exits with 1 for a case that does not fail any more",
  withDirectory(async (directory) => {
    const artifact = await canaryArtifact(directory);
    edit(artifact, { case: shortText });
    const { status, stdout } = await runQuickly("minimize", [artifact, "--artifacts", directory]);
    assertEquals(status, 1);
    assertMatch(stdout, /cannot be made smaller: the case no longer fails in that way\n$/);
  }),
);
