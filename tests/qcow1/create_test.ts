import { assert, assertEquals, assertThrows } from "@std/assert";
import { MemorySource } from "../../src/bytes/mod.ts";
import { contentOf } from "../../src/image/create/mod.ts";
import { judgeImage, layersOf, openBytes, readContent } from "../../src/image/mod.ts";
import { createQcow1, type Qcow1Creation } from "../../src/qcow1/mod.ts";
import {
  contentFrom,
  imageOptions,
  madeSource,
  mixedContent,
  qemuContent,
  writeMade,
} from "../image/created.ts";
import { succeed } from "../luks1/live.ts";
import { liveTest } from "../live.ts";

const passphrase = new TextEncoder().encode("a longer pässword than counts");
/** The last cluster is not whole in either geometry's clusters of more than a sector. */
const SIZE = 3 * 2 ** 20 + 1536;
const content = mixedContent(SIZE);
const backingContent = new Uint8Array(2 ** 20).fill(0xbb);

const images: Readonly<Record<string, Qcow1Creation>> = {
  "plain": { size: SIZE, content: contentFrom(content) },
  "compressed": { size: SIZE, content: contentFrom(content), compressed: true },
  "encrypted": { size: SIZE, content: contentFrom(content), passphrase },
  "over a backing file": { size: SIZE, content: contentFrom(content), backing: "backing.raw" },
  "compressed over a backing file": {
    ...{ size: SIZE, content: contentFrom(content), backing: "backing.raw", compressed: true },
  },
  "encrypted over a backing file": {
    ...{ size: SIZE, content: contentFrom(content), backing: "backing.raw", passphrase },
  },
  "empty": { size: SIZE },
  "empty and encrypted": { size: SIZE, passphrase },
  "empty over a backing file": { size: SIZE, backing: "backing.raw" },
  "of one sector": { size: 512, content: contentFrom(content.subarray(0, 512)) },
};

function expectedOf({ size, content: filled, backing }: Qcow1Creation): Uint8Array {
  if (filled !== undefined) return content.subarray(0, size);
  const expected = new Uint8Array(size);
  if (backing !== undefined) expected.set(backingContent);
  return expected;
}

for (const [name, creation] of Object.entries(images)) {
  liveTest(
    { needs: ["qemu-img"] },
    `qemu-img reads the content of an image: ${name}`,
    async (directory) => {
      const image = `${directory}/image`;
      const key = `${directory}/key`;
      Deno.writeFileSync(key, passphrase);
      Deno.writeFileSync(`${directory}/backing.raw`, backingContent);
      writeMade({ image }, { format: "qcow", ...creation });
      const secret = creation.passphrase === undefined ? "" : "encrypt.key-secret=key,";
      const backing = creation.backing === undefined ? "" : "backing.driver=raw,";
      const options = imageOptions(
        `driver=qcow,${secret}${backing}file.filename=${image}`,
        creation.passphrase && key,
      );
      assertEquals(await qemuContent(directory, options), expectedOf(creation));
    },
  );
}

Deno.test("new images are valid, and read as their input", () => {
  for (const name of ["plain", "compressed", "empty", "of one sector"]) {
    const creation = images[name];
    assert(creation !== undefined);
    const image = openBytes(madeSource({ format: "qcow", ...creation }));
    const { spec, findings } = judgeImage(image);
    const rules = findings.map(({ rule }) => rule);
    // Every image breaks this one.
    assertEquals([spec.verdict, rules], ["valid", ["qcow1.check.unsupported"]], name);
    const expected = expectedOf(creation);
    assertEquals(readContent(layersOf(image), 0, expected.length), expected, name);
  }
});

liveTest({ needs: ["qemu-img"] }, "an image is as long as qemu-img makes it", async (directory) => {
  const [raw, theirs, ours] = ["raw", "theirs", "ours"].map((name) => `${directory}/${name}`);
  assert(raw !== undefined && theirs !== undefined && ours !== undefined);
  Deno.writeFileSync(raw, content);
  await succeed(["qemu-img", "convert", "-f", "raw", "-O", "qcow", raw, theirs]);
  writeMade({ image: ours }, { format: "qcow", size: SIZE, content: contentFrom(content) });
  assertEquals(Deno.statSync(ours).size, Deno.statSync(theirs).size);
});

Deno.test("zeros use no space, and a large disk only that of its L1 table", () => {
  const size = 2 ** 40;
  const bytes = new Uint8Array(4097).fill(1);
  const source = madeSource({
    format: "qcow",
    size,
    content: contentOf(new MemorySource(bytes), 8192),
  });
  const l1 = size / (512 * 4096) * 8;
  assertEquals(source.size, 4096 * Math.ceil((48 + l1) / 4096) + 3 * 4096);
});

Deno.test("conflicting options are rejected before anything is created", () => {
  const refused: [Qcow1Creation, string][] = [
    [{ size: 0 }, "a positive multiple of 512, not 0"],
    [{ size: 513 }, "a positive multiple of 512, not 513"],
    [{ size: 2 ** 53 }, "the L1 table for a disk of 9007199254740992 bytes is too long"],
    [{ size: 512, backing: "x".repeat(1024) }, "has 1024 bytes, more than 1023"],
    [{ size: 512, passphrase, compressed: true }, "cannot be combined"],
  ];
  for (const [creation, says] of refused) {
    assertThrows(() => createQcow1(creation), RangeError, says);
  }
  createQcow1({ size: 512, backing: "x".repeat(1023) });
});
