import { assert, assertEquals } from "@std/assert";
import { compareSparseMap, type Toolbox } from "../../../fuzz/compare/mod.ts";
import { MemorySource } from "../../../src/bytes/mod.ts";
import { judgeImage, mapOf, openFiles } from "../../../src/image/mod.ts";
import { withScratch } from "../../../src/peers/mod.ts";

const BLOCK = 4096;

Deno.test("the map of a file with holes is compared with that of qemu-img", async () => {
  const bytes = new Uint8Array(4 * BLOCK);
  bytes.fill(1, BLOCK, 2 * BLOCK);
  const image = openFiles(new Map([["disk.raw", new MemorySource(bytes)]]), "raw");
  const { entries } = mapOf(image);
  assertEquals(entries.length, 1);
  await withScratch(async (directory) => {
    Deno.writeFileSync(`${directory}/disk.raw`, bytes);
    const subject = { directory, path: `${directory}/disk.raw`, format: "raw" };
    const asked = { subject, image, judgement: judgeImage(image), edited: false };
    const seenWith = (map: unknown) => {
      const peer = { map: () => Promise.resolve({ outcome: "accepted", value: map }) };
      return compareSparseMap(
        asked,
        { qemuImg: { peer, version: "7.2.22" } } as unknown as Toolbox,
      );
    };
    const [whole] = entries;
    const part = (start: number, length: number, zero: boolean) => ({
      ...whole,
      start,
      length,
      offset: start,
      zero,
      data: !zero,
    });
    const withHoles = [
      part(0, BLOCK, true),
      part(BLOCK, BLOCK, false),
      part(2 * BLOCK, 2 * BLOCK, true),
    ];
    assertEquals(await seenWith(withHoles), []);
    assert((await seenWith(entries)).length > 0, "a map without holes differs");
  });
});
