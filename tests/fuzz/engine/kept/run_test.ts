import { assert, assertEquals } from "@std/assert";
import { workers } from "../../../../fuzz/cli/process.ts";
import { Crew } from "../../../../fuzz/engine/mod.ts";
import { Corpus } from "../../../../fuzz/engine/kept/corpus.ts";
import { mergeRuns } from "../../../../fuzz/engine/kept/merge.ts";
import { minimizeInputs } from "../../../../fuzz/engine/kept/minimize.ts";
import { readSidecar } from "../../../../fuzz/engine/artifact.ts";
import { simulate } from "../simulated.ts";
import { caseOf, run } from "../toy_runs.ts";

async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync({ dir: "/tmp" });
  try {
    await work(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

const inputsIn = (directory: string, target: string): number[] =>
  [...new Corpus(directory).inputs(target)].map(({ json }) => json as number);

Deno.test("fuzz() finds what only a mutation of a kept case shows, and stores its case", async () => {
  await withDirectory(async (directory) => {
    const artifacts = `${directory}/artifacts`;
    const corpus = new Corpus(`${directory}/corpus`);
    const plain = await run(["deep"], { runs: 300 });
    assertEquals(plain.failures, []);
    const { failures } = await run(["deep"], { guided: true, corpus, artifacts });
    assertEquals(failures.map(({ found }) => found.fault.signature), ["deep"]);
    // The number was made smaller, although no arbitrary generated it.
    assertEquals(caseOf(failures[0]), 100);
    assertEquals(failures[0]?.found.repeats, true);
    const sidecar = readSidecar(failures[0]?.artifact ?? "");
    assertEquals(sidecar.case, 100);
    const kept = inputsIn(corpus.directory, "deep");
    assert(kept.some((value) => value >= 10), `kept: ${kept}`);
    mergeTwice(directory, kept.length);
  });
});

/** The failure is found once, and the inputs of both folders. */
function mergeTwice(directory: string, inputs: number): void {
  new Corpus(`${directory}/other/corpus`).add("deep", "123456");
  const corpus = new Corpus(`${directory}/merged`);
  const merged = mergeRuns(
    [directory, `${directory}/artifacts`],
    ["deep"],
    { corpus, artifacts: `${directory}/best` },
  );
  assertEquals(merged.failures.map(({ sidecar, count }) => [sidecar.case, count]), [[100, 2]]);
  assertEquals(merged.added, new Map([["deep", inputs + 1]]));
  assertEquals(readSidecar(merged.failures[0]?.artifact ?? "").signature, "deep");
}

Deno.test("fuzz() runs the cases of a corpus first, and skips those that are none", async () => {
  await withDirectory(async (directory) => {
    const corpus = new Corpus(directory);
    for (const text of ["987", "5", '"text"', "[]"]) corpus.add("deep", text);
    const { counts, failures } = await run(["deep"], { corpus, runs: 3 });
    assertEquals(counts.cases, 2 + 3);
    assertEquals(caseOf(failures[0]), 100);
    assertEquals(Object.fromEntries(corpus.unread), { "not a case of deep": 2 });
  });
});

Deno.test("fuzz() keeps one case for what several workers are the first to show", async () => {
  await withDirectory(async (directory) => {
    const corpus = new Corpus(directory);
    const { counts } = await run(["counting"], { corpus, runs: 3000, jobs: 4 });
    assert(counts.cases > 2000);
    // Two depths, a rule and a divergence.
    const kept = inputsIn(directory, "counting");
    assert(kept.length >= 2 && kept.length <= 4, `kept: ${kept}`);
  });
});

Deno.test("fuzz() gives the cases of a corpus half of the time of their target", async () => {
  await withDirectory(async (directory) => {
    const corpus = new Corpus(directory);
    for (let value = 0; value < 1000; value++) corpus.add("slow", String(value));
    const behaviours = { slow: { caseTime: 10 }, other: { caseTime: 10 } };
    await simulate(behaviours, { corpus, milliseconds: 10_000 });
    // Of 5 seconds, 2.5 are for 250 cases. What was read then runs: one batch of 32, or two.
    const [[reason, left] = []] = corpus.unread;
    assertEquals(reason, "no time for more inputs of slow");
    assert(left !== undefined && left <= 1000 - 250 && left >= 1000 - 250 - 64, `${left} left`);
    const all = await simulate(behaviours, { corpus: new Corpus(directory), runs: 1 });
    assertEquals(all.summary.counts.cases, 1000 + 2);
  });
});

Deno.test("fuzz() reports a mutated case that hangs", async () => {
  const { failures } = await run(["deep-hang"], {
    guided: true,
    runs: 40,
    timeout: 1000,
    shrinkMilliseconds: 1,
  });
  assertEquals(failures.map(({ found }) => found.fault.kind), ["timeout"]);
  assert(caseOf(failures[0]) as number >= 100);
});

Deno.test("minimizeInputs() keeps one input for each feature, and other files", async () => {
  await withDirectory(async (directory) => {
    const corpus = new Corpus(`${directory}/corpus`);
    for (const value of [1, 2, 12, 13, 14, 22, 117, 127]) corpus.add("deep", String(value));
    Deno.writeTextFileSync(`${directory}/corpus/deep/by-hand`, "1");
    Deno.writeTextFileSync(`${directory}/corpus/deep/broken`, "no JSON");
    const crew = new Crew({
      hire: workers(new URL("../toy_worker.ts", import.meta.url)),
      jobs: 1,
      directory: `${directory}/scratch`,
      tools: {},
      timeout: 10_000,
      memoryMax: 2 ** 32,
    });
    const { before, after } = await minimizeInputs(corpus, "deep", crew);
    crew.dismiss();
    // 12, 13 and 14 have all that 1 has, and 22 all that 2 has; 117 and 127 fail in the same way.
    assertEquals([before, after], [9, 6]);
    const left = inputsIn(corpus.directory, "deep").sort((a, b) => a - b);
    // The file with another name stays, although it shows nothing more.
    assertEquals(left.slice(0, 5), [1, 12, 13, 14, 22]);
    assert(left[5] === 117 || left[5] === 127);
    assertEquals(Deno.readTextFileSync(`${directory}/corpus/deep/broken`), "no JSON");
  });
});
