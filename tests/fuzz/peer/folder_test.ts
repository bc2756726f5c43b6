import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { withScratch } from "../../../src/peers/mod.ts";
import { findingsOf, folderOf } from "../../../fuzz/peer/mod.ts";
import { fuzzPlanted } from "./under_test.ts";

Deno.test("the folder of a finding has the image, the answers, and a script that makes the same bytes", async () => {
  const summary = await fuzzPlanted("backing", { targets: ["peer-content"], runs: 600 });
  const started = Date.UTC(2026, 0, 1);
  const [found, ...others] = findingsOf(summary, started);
  assert(found !== undefined);
  assertEquals(others.length, 0);
  const { finding: { slug, count, firstSeen, cause } } = found;
  assertEquals([slug, cause.type], ["wrong-content-backing+short-backing", "feature"]);
  assert(count > 0);
  assert(Date.parse(firstSeen) >= started);
  const { texts, files } = folderOf(found);
  const readme = texts["README.md"] ?? "";
  assertMatch(readme, /^# wrong-content: backing\+short-backing$/m);
  assertStringIncludes(readme, found.facts.expected);
  assertStringIncludes(readme, found.facts.answered);
  await withScratch(async (directory) => {
    Deno.writeTextFileSync(`${directory}/reproduce.sh`, texts["reproduce.sh"] ?? "");
    const { code, stdout } = await new Deno.Command("/bin/sh", {
      args: [`${directory}/reproduce.sh`, `${directory}/files`],
    }).output();
    const printed = new TextDecoder().decode(stdout);
    assertEquals(code, 0, printed);
    assertEquals(files.length, 2);
    for (const { name, size, extents } of files) {
      const expected = new Uint8Array(size);
      for (const { offset, bytes } of extents) expected.set(bytes, offset);
      assertEquals(Deno.readFileSync(`${directory}/files/${name}`), expected);
      assertStringIncludes(printed, `${name}: OK`);
    }
  });
});

Deno.test("a finding about an invalid image names the sentence of the format and its section", async () => {
  const summary = await fuzzPlanted("crash", { targets: ["peer-malformed"], runs: 1000 });
  const [found] = findingsOf(summary, 0);
  assert(found !== undefined);
  assertEquals(found.finding.slug, "crash-qcow2.l1.offset");
  assertEquals(found.finding.securityRelevant, true);
  const readme = folderOf(found).texts["README.md"] ?? "";
  assertMatch(readme, /^> l1_table_offset is a multiple of the cluster size/m);
  assertMatch(readme, /spec, must; section: /);
  assertStringIncludes(readme, "It can be used to attack a user who opens an image.");
  assertStringIncludes(readme, "l1_table_offset");
});
