import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ReferencePeer, withScratch } from "../../../src/peers/mod.ts";
import { findingsOf, folderOf, picturesOf, recreated } from "../../../fuzz/peer/mod.ts";
import { liveTest } from "../../live.ts";
import { plantedPeer } from "./planted.ts";
import { fuzzPlanted } from "./under_test.ts";

let short: ReturnType<typeof fuzzPlanted> | undefined;

/** A run that finds the planted bug about short backing files. */
function withShortBacking(): ReturnType<typeof fuzzPlanted> {
  return short ??= fuzzPlanted("backing", { targets: ["peer-content"], runs: 600 });
}

Deno.test("the folder of a finding has the image, the answers, and a script that makes the same bytes", async () => {
  const summary = await withShortBacking();
  const started = Date.UTC(2026, 0, 1);
  const [found, ...others] = findingsOf(summary, started);
  assert(found !== undefined);
  assertEquals(others.length, 0);
  const { finding: { slug, count, firstSeen, cause } } = found;
  assertEquals([slug, cause.type], ["wrong-content-backing+short-backing", "feature"]);
  assert(count > 0);
  assert(Date.parse(firstSeen) >= started);
  const { texts, files } = folderOf(found);
  assertEquals(picturesOf(found).map(({ name }) => name), files.map(({ name }) => name));
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
  const summary = await fuzzPlanted("crash", {
    targets: ["peer-malformed"],
    runs: 1000,
    until: { reported: 1, failed: 1 },
  });
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

liveTest(
  { needs: ["qemu-img", "qemu-io"] },
  "a script makes the image with qemu-img where such an image shows the same failure",
  async (directory) => {
    const [found] = findingsOf(await withShortBacking(), 0);
    assert(found !== undefined);
    const peer = plantedPeer("backing");
    const under = { text: "backing", description: await peer.describe(), open: () => peer };
    const like = await recreated(found, under);
    assert(like !== undefined);
    assertEquals(
      like.commands.every((command) => /^(qemu-img create|qemu-io|truncate -s) /.test(command)),
      true,
    );
    const script = folderOf(found, like).texts["reproduce.sh"] ?? "";
    assertEquals(script.includes("base64"), false);
    Deno.writeTextFileSync(`${directory}/reproduce.sh`, script);
    const { code, stdout } = await new Deno.Command("/bin/sh", {
      args: [`${directory}/reproduce.sh`, `${directory}/files`],
    }).output();
    assertEquals(code, 0);
    // What is expected is what qemu-img answers.
    const [, sha256 = ""] = /sha256: "(\w+)"/.exec(like.facts.expected) ?? [];
    assertStringIncludes(new TextDecoder().decode(stdout), `${sha256}  -`);
    // Who is right about such an image shows no failure.
    const right = { ...under, open: () => new ReferencePeer() };
    assertEquals(await recreated(found, right), undefined);
  },
);
