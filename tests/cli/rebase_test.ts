/** Backing files that the program changes, and what qemu-img reads of the images then. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { seededBytes } from "../../src/format/mod.ts";
import { liveTest, QEMU } from "../live.ts";
import { succeed } from "../qcow1/live.ts";
import { diskproof } from "./program.ts";

const SIZE = 2 ** 20;

liveTest(
  { needs: QEMU },
  "rebase and commit keep what a qcow2 image shows, as qemu-img reads it",
  async (directory) => {
    const cwd = { cwd: directory };
    const old = seededBytes(8)(SIZE - 100_000);
    const other = old.slice(0, SIZE / 2);
    other.fill(7, 300_000, 300_004);
    await Deno.writeFile(`${directory}/old`, old);
    await Deno.writeFile(`${directory}/new`, other);
    await succeed(
      ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", "old", "top", String(SIZE)],
      cwd,
    );
    await succeed(["qemu-io", "-c", "write -P 9 1000 5000", "-c", "write -z 128k 64k", "top"], cwd);
    const expected = new Uint8Array(SIZE);
    expected.set(old);
    expected.fill(9, 1000, 6000).fill(0, 131_072, 196_608);
    const mustBeSame = async (backing: string) => {
      const info = await succeed(["qemu-img", "info", "top"], cwd);
      assertStringIncludes(info, `backing file: ${backing}`);
      await succeed(["qemu-img", "check", "-q", "top"], cwd);
      await succeed(["qemu-img", "convert", "-O", "raw", "top", "raw"], cwd);
      const actual = await Deno.readFile(`${directory}/raw`);
      assertEquals(actual.findIndex((byte, at) => byte !== expected[at]), -1);
    };
    const rebased = await diskproof(directory, ["rebase", "top", "-b", "new", "-F", "raw"]);
    assertEquals([rebased.status, rebased.stderr], [0, ""]);
    await mustBeSame("new");
    assertEquals((await diskproof(directory, ["commit", "top"])).status, 0);
    await mustBeSame("new");
    const base = await Deno.readFile(`${directory}/new`);
    assertEquals(base.findIndex((byte, at) => byte !== expected[at]), -1);
    await succeed(
      ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", "top", "up"],
      cwd,
    );
    const loop = await diskproof(directory, ["rebase", "top", "-b", "up", "-F", "qcow2"]);
    assertEquals(loop.status, 2);
    assertStringIncludes(loop.stderr, "Cannot use the backing file up: the image is below it");
    const itself = await diskproof(directory, ["rebase", "top", "-b", "top", "-F", "qcow2"]);
    assertStringIncludes(itself.stderr, "it is the image itself");
  },
);
