import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { withDirectory } from "./child.ts";
import { runQuickly } from "./task.ts";

Deno.test(
  "fuzz --corpus keeps cases, runs them again, and --minimize-corpus and --merge use them",
  withDirectory(async (directory) => {
    const corpus = `${directory}/corpus`;
    const artifacts = `${directory}/artifacts`;
    const rules = `${directory}/rules.json`;
    const common = ["qcow-open", "--seed", "1", "--corpus", corpus, "--artifacts", artifacts];
    const first = await runQuickly("fuzz", [...common, "--runs", "8", "--coverage", rules]);
    assertEquals([first.status, first.stderr], [0, ""]);
    const folder = `${corpus}/qcow-open`;
    const names = () => [...Deno.readDirSync(folder)].map(({ name }) => name);
    const kept = names();
    assert(kept.length > 0 && kept.every((name) => /^[0-9a-f]{40}$/.test(name)));
    const { missed, ...matrix } = JSON.parse(Deno.readTextFileSync(rules));
    assertEquals(matrix.targets, ["qcow-open"]);
    assert(missed.includes("qcow2.l1.offset"));

    Deno.writeTextFileSync(`${folder}/broken`, "{");
    const minimized = await runQuickly("fuzz", [...common, "--minimize-corpus"]);
    assertEquals(minimized.status, 0);
    assertMatch(minimized.stdout, new RegExp(`qcow-open +${kept.length} +`));
    assertStringIncludes(minimized.stdout, `skipped 1 input: not JSON (${corpus}/`);
    const left = names().filter((name) => name !== "broken");
    assert(left.length > 0 && left.every((name) => kept.includes(name)));

    const strange = `${directory}/nosuch/${"0".repeat(40)}`;
    Deno.mkdirSync(`${directory}/nosuch`);
    Deno.writeTextFileSync(strange, "{}");
    const out = `${directory}/out`;
    const merged = await runQuickly("fuzz", ["--merge", directory, "--corpus", out, "--json"]);
    assertEquals(merged.status, 0);
    const [summary, skipped] = merged.stdout.trim().split("\n").map((line) => JSON.parse(line));
    const added = { "qcow-open": left.length };
    assertEquals(summary, { event: "merged", failures: 0, added });
    assertEquals(skipped.skipped, { "not JSON": 1, "no target is named nosuch": 1 });
    // What was merged is not merged again, although it is below the folder.
    const again = await runQuickly("fuzz", ["--merge", directory, "--corpus", out]);
    assertStringIncludes(again.stdout, `skipped 1 input: not JSON (${folder}/broken)`);
    assertStringIncludes(again.stdout, `skipped 1 input: no target is named nosuch (${strange})`);
    assertStringIncludes(again.stdout, `0 inputs added to ${out}, 0 different failures`);
  }),
);

Deno.test("fuzz --merge needs folders and a corpus, and --minimize-corpus a folder", async () => {
  const bare = await runQuickly("fuzz", ["--merge", "shard"]);
  assertEquals(bare.status, 2);
  assertStringIncludes(bare.stderr, "--merge needs --corpus");
  const empty = await runQuickly("fuzz", ["--merge", "--corpus", "/tmp"]);
  assertEquals(empty.status, 2);
  assertStringIncludes(empty.stderr, "--merge needs the folders of other runs");
  const lost = await runQuickly("fuzz", ["--merge", "/nowhere", "--corpus", "/tmp"]);
  assertEquals(lost.status, 2);
  assertStringIncludes(lost.stderr, "Cannot find the folder /nowhere");
  const none = await runQuickly("fuzz", ["--minimize-corpus", "--corpus", "/nowhere"]);
  assertEquals(none.status, 2);
  assertStringIncludes(none.stderr, "Cannot find the folder /nowhere");
});
