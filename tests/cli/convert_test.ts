/** Images of one format that are made from images of another, as qemu-img reads both. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { seededBytes } from "../../src/format/mod.ts";
import { liveTest, QEMU } from "../live.ts";
import { run, succeed } from "../qcow1/live.ts";
import { diskproof } from "./program.ts";

const SIZE = 2 ** 20 + 4096;

/** What the command line says, and how qemu-img opens the result. */
const FORMATS: Readonly<Record<string, readonly [string, string]>> = {
  raw: ["", "driver=raw"],
  qcow: ["-O qcow", "driver=qcow"],
  "compressed qcow": ["-O qcow -c", "driver=qcow"],
  "qcow2 with deflate": ["--to qcow2 -c -o cluster_size=4k", "driver=qcow2"],
  "qcow2 with zstd": ["--to qcow2 -c -o compression_type=zstd", "driver=qcow2"],
  "encrypted qcow2": [
    "--to qcow2 -o encrypt.format=luks,encrypt.iterations=1000 --new-passphrase secret",
    "driver=qcow2,encrypt.key-secret=key",
  ],
  luks: ["--to luks -o iterations=1000 --new-passphrase secret", "driver=luks,key-secret=key"],
};

liveTest({ needs: QEMU }, "convert makes images of each format", async (directory) => {
  const content = new Uint8Array(SIZE);
  content.set(seededBytes(1)(200_000), 70_000);
  content.fill(5, 600_000, 800_000);
  await Deno.writeFile(`${directory}/raw`, content);
  const cwd = { cwd: directory };
  await succeed(["qemu-img", "convert", "-O", "qcow2", "raw", "base"], cwd);
  await succeed(
    ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", "base", "top"],
    cwd,
  );
  await succeed(["qemu-io", "-c", "write -P 9 4096 4096", "top"], cwd);
  content.fill(9, 4096, 8192);
  await Deno.writeFile(`${directory}/raw`, content);
  for (const [name, [words, open]] of Object.entries(FORMATS)) {
    const args = ["convert", ...words.split(" ").filter((word) => word !== ""), "top", "out"];
    const { status, stderr } = await diskproof(directory, args);
    assertEquals([status, stderr], [0, ""], name);
    const { code } = await run([
      ...["qemu-img", "compare", "--object", "secret,id=key,data=secret", "--image-opts"],
      "driver=raw,file.filename=raw",
      `${open},file.filename=out`,
    ], cwd);
    assertEquals(code, 0, name);
    if (open === "driver=qcow2") await succeed(["qemu-img", "check", "-q", "out"], cwd);
  }
  const refused = await diskproof(directory, ["convert", "--to", "luks", "-c", "top", "out"]);
  assertEquals(refused.status, 2);
  assertStringIncludes(refused.stderr, "the format luks does not support compression");
});
