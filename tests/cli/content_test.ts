import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { digestFile } from "../../src/peers/mod.ts";
import { make } from "../peers/tools.ts";
import { MADE, madeImage, makeImages } from "./images.ts";
import { makeLink } from "./files.ts";
import { diskproof, type Run } from "./program.ts";
import { liveTest, QEMU } from "../live.ts";

liveTest(
  { needs: QEMU },
  "digest prints what sha256sum prints for the output of qemu-img convert",
  async (directory) => {
    await makeImages(directory);
    const names = MADE.map(({ name }) => name);
    const expected = [];
    for (const name of names) {
      await make(directory, "qemu-img", "convert", "-O", "raw", name, "content");
      expected.push(`${digestFile(`${directory}/content`).sha256}  ${name}`);
    }
    const { status, stdout } = await diskproof(directory, ["digest", ...names]);
    assertEquals(stdout.trimEnd().split("\n"), expected);
    assertEquals(status, 0);
  },
);

liveTest(
  { needs: QEMU },
  "digest reads a snapshot, and a part of the disk off sector boundaries",
  async (directory) => {
    await makeImages(directory, [madeImage("overlay.qcow2")]);
    const convert = ["qemu-img", "convert", "-O", "raw", "-l", "first one", "overlay.qcow2", "was"];
    await make(directory, ...convert);
    const whole = await diskproof(directory, [
      "digest",
      "--json",
      "--snapshot=first one",
      "overlay.qcow2",
    ]);
    const { sha256, length } = digestFile(`${directory}/was`);
    assertEquals(JSON.parse(whole.stdout), { image: "overlay.qcow2", sha256, length });
    const part = await Deno.readFile(`${directory}/was`);
    await Deno.writeFile(`${directory}/part`, part.subarray(66_000, 66_000 + 70_001));
    const args = ["digest", "--snapshot", "1", "--range", "66000:70001", "overlay.qcow2"];
    const { stdout } = await diskproof(directory, args);
    assertEquals(stdout, `${digestFile(`${directory}/part`).sha256}  overlay.qcow2\n`);
  },
);

liveTest(
  { needs: QEMU },
  "digest rejects content above --max-size in one line that names the option",
  async (directory) => {
    await make(directory, "qemu-img", "create", "-q", "-f", "qcow2", "huge.qcow2", "2T");
    for (const args of [["huge.qcow2"], ["--max-size", "1M", "--range", "0:2M", "huge.qcow2"]]) {
      const run = await diskproof(directory, ["digest", ...args]);
      assertEquals([run.status, run.stdout], [2, ""]);
      assertStringIncludes(oneLine(run), "--max-size");
    }
    const small = ["digest", "--max-size", "2M", "--range", "1T:2M", "huge.qcow2"];
    assertEquals((await diskproof(directory, small)).status, 0);
    const past = await diskproof(directory, ["digest", "--range", "2T:1", "huge.qcow2"]);
    assertStringIncludes(oneLine(past), "past the disk");
  },
);

liveTest(
  { needs: QEMU },
  "convert writes what qemu-img writes, with holes for zeros",
  async (directory) => {
    await makeImages(directory);
    for (const { name } of MADE) {
      await make(directory, "qemu-img", "convert", "-O", "raw", name, "theirs");
      assertEquals((await diskproof(directory, ["convert", name, "ours"])).status, 0, name);
      assertEquals(digestFile(`${directory}/ours`), digestFile(`${directory}/theirs`), name);
    }
    await diskproof(directory, ["convert", "empty.qcow2", "ours"]);
    const { size, blocks } = Deno.statSync(`${directory}/ours`);
    assertEquals(size, 10 * 2 ** 20);
    assert((blocks ?? 0) * 512 < 2 ** 20);
  },
);

liveTest(
  { needs: QEMU },
  "convert never writes to what it reads, and leaves no files when it fails",
  async (directory) => {
    await makeImages(directory, [madeImage("overlay.qcow2"), madeImage("outside.qcow2")]);
    await makeLink("base.raw", `${directory}/link`);
    await Deno.writeTextFile(`${directory}/kept`, "as it was");
    const before = namesIn(directory);
    const attempts: [string, string, string][] = [
      ["overlay.qcow2", "overlay.qcow2", "it is one of the input files"],
      ["overlay.qcow2", "base.raw", "it is one of the input files"],
      ["overlay.qcow2", "link", "it is one of the input files"],
      ["outside.qcow2", "data.raw", "it is one of the input files"],
      ["overlay.qcow2", ".", "not a regular file"],
      ["overlay.qcow2", "nowhere/out", "the folder nowhere does not exist"],
    ];
    for (const [image, out, reason] of attempts) {
      const run = await diskproof(directory, ["convert", image, out]);
      assertEquals(run.status, 2, out);
      assertStringIncludes(oneLine(run), reason);
    }
    // The L2 entry of the first cluster, made to lead off a cluster boundary.
    const bytes = await Deno.readFile(`${directory}/overlay.qcow2`);
    const view = new DataView(bytes.buffer);
    const l2 = Number(view.getBigUint64(Number(view.getBigUint64(40))) & 0xfffffffffffe00n);
    view.setBigUint64(l2 + 8, view.getBigUint64(l2 + 8) | 0x200n);
    await Deno.writeFile(`${directory}/overlay.qcow2`, bytes);
    const run = await diskproof(directory, ["convert", "overlay.qcow2", "kept"]);
    assertEquals(run.status, 1);
    assertStringIncludes(oneLine(run), "qcow2.l2e.aligned");
    assertEquals(await Deno.readTextFile(`${directory}/kept`), "as it was");
    assertEquals(namesIn(directory), before);
  },
);

function namesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map((entry) => entry.name).sort();
}

/** What was said to standard error, which is one line. */
function oneLine({ stderr }: Run): string {
  assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
  return stderr;
}
