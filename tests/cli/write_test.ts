/** Images that are changed in place by the program, and what qemu-img reads of them then. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { seededBytes } from "../../src/format/mod.ts";
import { whyUnreadable } from "../../src/cli/reasons.ts";
import { ImageError, UsageError } from "../../src/cli/verb.ts";
import { run } from "../../src/cli/write.ts";
import { liveTest, QEMU } from "../live.ts";
import { succeed } from "../qcow1/live.ts";
import { withDirectory } from "./files.ts";
import { diskproof } from "./program.ts";

const SIZE = 2 ** 21;
const random = seededBytes(3);

/** A disk of an image as qemu-img reads it. */
async function rawOf(path: string, options: string): Promise<Uint8Array> {
  const secret = ["--object", "secret,id=key,data=secret"];
  const image = `${options},file.filename=${path}`;
  await succeed(
    ["qemu-img", "convert", ...secret, "--image-opts", image, "-O", "raw", `${path}.raw`],
  );
  return await Deno.readFile(`${path}.raw`);
}

/** How images are made, and how qemu-img opens them. */
const IMAGES: Readonly<Record<string, { readonly make: string; readonly open: string }>> = {
  raw: { make: "", open: "driver=raw" },
  qcow: { make: "", open: "driver=qcow" },
  "encrypted qcow": {
    make: "encrypt.format=aes,encrypt.key-secret=key",
    open: "driver=qcow,encrypt.key-secret=key",
  },
  // qemu-img measures the processor for a second, and longer on a busy machine.
  luks: { make: "", open: "driver=luks,key-secret=key" },
};

for (const [name, { make, open }] of Object.entries(IMAGES)) {
  liveTest({ needs: QEMU }, `qemu-img reads what write wrote: ${name}`, async (directory) => {
    const [format = ""] = name.split(" ").slice(-1);
    const path = `${directory}/image`;
    const secret = make === "" ? [] : ["--object", "secret,id=key,data=secret", "-o", make];
    await Deno.writeTextFile(`${directory}/key`, "secret");
    const keys = open.includes("key-secret") ? ["--passphrase-file", "key"] : [];
    if (format === "luks") {
      const fast = ["-f", "luks", "-o", "iterations=1000", ...keys, "image", String(SIZE)];
      assertEquals((await diskproof(directory, ["create", ...fast])).status, 0);
    } else {
      await succeed(["qemu-img", "create", "-q", "-f", format, ...secret, path, String(SIZE)]);
    }
    const before = await rawOf(path, open);
    const bytes = random(300_000);
    await Deno.writeFile(`${directory}/bytes`, bytes);
    const write = async (...args: string[]) => {
      const { status, stderr } = await diskproof(directory, ["write", "image", ...keys, ...args]);
      assertEquals([status, stderr], [0, ""]);
    };
    await write("--offset", "12345", "bytes");
    await write("--offset", "100K", "--length", "70001", "--zero");
    const expected = before.slice();
    expected.set(bytes, 12345);
    expected.fill(0, 102400, 102400 + 70001);
    assertEquals((await rawOf(path, open)).findIndex((byte, at) => byte !== expected[at]), -1);
    const { status, stderr } = await diskproof(
      directory,
      ["write", "image", ...keys, "--offset", String(SIZE - 1000), "bytes"],
    );
    assertEquals(status, 1);
    assertStringIncludes(stderr, `Cannot change image: The disk has ${SIZE} bytes`);
    assertEquals((await rawOf(path, open)).findIndex((byte, at) => byte !== expected[at]), -1);
  });
}

liveTest(
  { needs: QEMU },
  "write puts standard input over the content of a backing file",
  async (directory) => {
    const base = random(SIZE);
    await Deno.writeFile(`${directory}/base`, base);
    const create = ["qemu-img", "create", "-q", "-f", "qcow", "-F", "raw", "-b", "base", "top"];
    await succeed(create, { cwd: directory });
    const args = ["write", "top", "--offset", "1000", "-"];
    assertEquals((await diskproof(directory, args, "x".repeat(70_000))).status, 0);
    assertEquals(await Deno.readFile(`${directory}/base`), base);
    const expected = base.slice();
    expected.fill("x".charCodeAt(0), 1000, 71_000);
    const actual = await rawOf(`${directory}/top`, "driver=qcow");
    assertEquals(actual.findIndex((byte, at) => byte !== expected[at]), -1);
  },
);

liveTest({ needs: QEMU }, "resize changes disks as qemu-img does", async (directory) => {
  const path = `${directory}/image`;
  await Deno.writeFile(path, random(4096));
  const resize = async (...args: string[]) =>
    (await diskproof(directory, ["resize", "image", ...args])).status;
  assertEquals(await resize("+1K"), 0);
  assertEquals((await Deno.stat(path)).size, 5120);
  assertEquals(await resize("-2K"), 1);
  assertEquals(await resize("-2K", "--shrink"), 0);
  assertEquals((await Deno.stat(path)).size, 3072);
  await succeed(["qemu-img", "create", "-q", "-f", "qcow", path, "1M"]);
  assertEquals(await resize("2M"), 1);
});

/** Command lines that cannot be used, and a part of the message. */
const WRONG: readonly (readonly [string, string])[] = [
  ["image", "requires --offset"],
  ["image --offset 0", "name a file"],
  ["image --offset 0 --zero", "--zero requires --length"],
  ["image --offset 0 --zero --length 1 bytes", "--zero does not accept a file"],
  ["image --offset 0 --zero --discard --length 1", "give one of"],
  ["image --offset 0 --unmap bytes", "--unmap requires --zero"],
  ["image --offset 0 image", "a file of the image itself"],
  ["image --offset 0 --length 11 bytes", "has 10 bytes, fewer than --length"],
  ["missing --offset 0 bytes", "there is no such file"],
  ["image --offset 0 - --passphrase-file -", "Cannot read standard input twice"],
];

Deno.test("write rejects command lines that make no sense", () =>
  withDirectory(async (directory) => {
    await Deno.writeFile(`${directory}/image`, new Uint8Array(1024));
    await Deno.writeFile(`${directory}/bytes`, new Uint8Array(10));
    for (const [line, message] of WRONG) {
      const args = line.replaceAll(/\b(image|bytes|missing)\b/g, `${directory}/$1`).split(" ");
      await assertRejects(() => run(args), UsageError, message);
    }
    const compressed = [
      `${directory}/image`,
      "--offset",
      "0",
      "--compressed",
      `${directory}/bytes`,
    ];
    await assertRejects(() => run(compressed), ImageError, "does not support compression");
  }));

Deno.test("write rejects the external data file of the image as its input", () =>
  withDirectory(async (directory) => {
    const create = ["create", "-f", "qcow2", "-o", "data_file=data", "top", "64K"];
    assertEquals((await diskproof(directory, create)).status, 0);
    const args = [`${directory}/top`, "--offset", "0", `${directory}/data`];
    await assertRejects(() => run(args), UsageError, "a file of the image itself");
  }));

Deno.test("the reason of an error of the file system does not repeat the name of the file", () => {
  const error = new Error("Read-only file system (os error 30): open '/mnt/.it's.partial'");
  assertEquals(whyUnreadable(error), "Read-only file system (os error 30)");
});
