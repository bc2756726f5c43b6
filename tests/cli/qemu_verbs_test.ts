import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { comparable, compareMap, runTool } from "../../src/peers/mod.ts";
import { MADE, madeImage, makeImages, overwrite } from "./images.ts";
import { diskproof } from "./program.ts";
import { liveTest, QEMU, versionOf } from "../live.ts";

/** What the installed qemu-img prints, and its exit status. */
async function qemuImg(directory: string, ...args: string[]) {
  const { end, stdout, stderr } = await runTool(["qemu-img", ...args], { directory });
  if (end.kind !== "exited") throw new Error(`qemu-img ${args.join(" ")}: ${end.kind}`);
  return { status: end.code, stdout, stderr };
}

/** An object without the members that came with a later version, in its order. */
function known(info: Record<string, unknown>): string {
  const { children: _, limits: __, ...rest } = info;
  return JSON.stringify(rest);
}

liveTest({ needs: QEMU }, "info prints qemu-img's JSON, in its order", async (directory) => {
  await makeImages(directory);
  for (const { name } of MADE) {
    const theirs = await qemuImg(directory, "info", "--output=json", name);
    const ours = await diskproof(directory, ["info", "--output", "json", name]);
    assertEquals([ours.status, ours.stderr], [0, ""], name);
    const told = JSON.parse(theirs.stdout);
    assertEquals(known(JSON.parse(ours.stdout)), known(told), name);
    if (!("children" in told)) assertEquals(ours.stdout, theirs.stdout, name);
  }
});

liveTest({ needs: QEMU }, "info prints qemu-img's lines for a person", async (directory) => {
  await makeImages(directory);
  for (const { name } of MADE) {
    const theirs = await qemuImg(directory, "info", name);
    const ours = await diskproof(directory, ["info", name]);
    const lines = theirs.stdout.split("\n");
    for (const line of ours.stdout.trimEnd().split("\n")) {
      // The columns of snapshots are not the same in every version.
      if (!/^(ID|\d+) /.test(line)) assert(lines.includes(line), `${name}: ${line}`);
    }
  }
});

liveTest({ needs: QEMU }, "info --backing-chain lists what qemu-img lists", async (directory) => {
  await makeImages(directory, [madeImage("overlay.qcow2")]);
  const args = ["info", "--backing-chain", "--output=json", "overlay.qcow2"];
  const theirs = JSON.parse((await qemuImg(directory, ...args)).stdout);
  const ours = JSON.parse((await diskproof(directory, args)).stdout);
  assertEquals(ours.map(known), theirs.map(known));
});

liveTest({ needs: QEMU }, "map prints qemu-img's entries, one per line", async (directory) => {
  await makeImages(directory);
  const version = versionOf("qemu-img");
  for (const { name } of MADE) {
    const theirs = await qemuImg(directory, "map", "--output=json", name);
    const ours = await diskproof(directory, ["map", "--output", "json", name]);
    assertEquals([ours.status, ours.stderr], [0, ""], name);
    const [left, right] = [JSON.parse(theirs.stdout), JSON.parse(ours.stdout)];
    assertEquals(compareMap(left, right, { version }), [], name);
    if (comparable(version).mapWithout.length === 0) assertEquals(ours.stdout, theirs.stdout);
    assertEquals(ours.stdout.trimEnd().split("\n").length, right.length, name);
  }
});

liveTest(
  { needs: QEMU },
  "map accepts a part of the disk, also off sector boundaries",
  async (directory) => {
    await makeImages(directory, [madeImage("overlay.qcow2")]);
    const version = versionOf("qemu-img");
    for (const part of [["1000", "70001"], ["3M", "1G"], ["5M", "1"], ["64k", "0"]]) {
      const [start = "", length = ""] = part;
      const args = [`--start-offset=${start}`, `--max-length=${length}`, "overlay.qcow2"];
      const theirs = await qemuImg(directory, "map", "--output=json", ...args);
      const ours = await diskproof(directory, ["map", "--output=json", ...args]);
      const [left, right] = [JSON.parse(theirs.stdout), JSON.parse(ours.stdout)];
      assertEquals(compareMap(left, right, { version }), [], part.join());
      assertEquals(right[0].start, left[0].start, part.join());
    }
  },
);

liveTest({ needs: QEMU }, "map for a person prints qemu-img's table", async (directory) => {
  await makeImages(directory);
  for (const { name } of MADE) {
    // qemu-img gives up where compressed clusters come, after what it has printed by then.
    const theirs = await qemuImg(directory, "map", name);
    const ours = await diskproof(directory, ["map", name]);
    assertStringIncludes(ours.stdout, theirs.stdout, name);
    assertEquals(ours.status, 0);
  }
});

liveTest(
  { needs: QEMU },
  "map prints the complete entries before an unreadable L2 table, and exits with 1",
  async (directory) => {
    const image = { name: "two.qcow2", commands: [] };
    await makeImages(directory, [{
      ...image,
      commands: [
        ["qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=1k", image.name, "1M"],
        ["qemu-io", "-c", "write 0 4k", "-c", "write 8k 4k", "-c", "write 256k 4k", image.name],
      ],
    }]);
    const header = new DataView((await Deno.readFile(`${directory}/${image.name}`)).buffer);
    const l1 = Number(header.getBigUint64(40));
    // An L1 entry covers 128 KiB; the third one now leads off a cluster boundary.
    overwrite(`${directory}/${image.name}`, { [l1 + 16]: 0x200200n });
    const theirs = await qemuImg(directory, "map", "--output=json", image.name);
    const ours = await diskproof(directory, ["map", "--output=json", image.name]);
    assertEquals([ours.status, theirs.status], [1, 1]);
    const entries = (text: string) => JSON.parse(text.replace(/,\s*$/, "]"));
    const version = versionOf("qemu-img");
    const [left, right] = [entries(theirs.stdout), entries(ours.stdout)];
    assertEquals(compareMap(left, right, { version }), []);
    assert(right.length > 0);
    assertStringIncludes(ours.stderr, "qcow2.l1e.aligned");
    assertEquals(ours.stderr.trimEnd().split("\n").length, 1);
  },
);

const DAMAGES: readonly { says: string; status: number; at: (l1: number) => [number, bigint] }[] = [
  { says: "nothing is wrong", status: 0, at: () => [24, 0x100000n] },
  { says: "an L1 entry is gone", status: 3, at: (l1) => [l1, 0n] },
  { says: "an L1 entry has a reserved bit", status: 2, at: (l1) => [l1, 0x8000000000040001n] },
  { says: "there are more snapshots than QEMU takes", status: 1, at: () => [56, 65537n] },
];

for (const { says, status, at } of DAMAGES) {
  liveTest(
    { needs: QEMU },
    `check exits with ${status} when ${says}, as qemu-img does`,
    async (directory) => {
      const name = "disk.qcow2";
      const commands = [
        ["qemu-img", "create", "-q", "-f", "qcow2", name, "1M"],
        ["qemu-io", "-c", "write 0 64k", name],
      ];
      await makeImages(directory, [{ name, commands }]);
      const path = `${directory}/${name}`;
      const l1 = Number(new DataView((await Deno.readFile(path)).buffer).getBigUint64(40));
      const [offset, value] = at(l1);
      overwrite(path, { [offset]: value });
      const theirs = await qemuImg(directory, "check", "--output=json", name);
      const ours = await diskproof(directory, ["check", "--output=json", name]);
      assertEquals([ours.status, theirs.status], [status, status]);
      assertEquals(ours.stdout, theirs.stdout);
      const text = await diskproof(directory, ["check", name]);
      const said = (await qemuImg(directory, "check", name)).stdout;
      assertStringIncludes(text.stdout, said);
      assertEquals(text.status, status);
    },
  );
}

liveTest(
  { needs: QEMU },
  "check exits with 63 for a format without refcounts, as qemu-img does",
  async (directory) => {
    await makeImages(directory, [madeImage("old.qcow"), madeImage("plain.raw")]);
    for (const name of ["old.qcow", "plain.raw"]) {
      const ours = await diskproof(directory, ["check", "--output=json", name]);
      assertEquals([ours.status, ours.stdout], [63, ""]);
      assertEquals((await qemuImg(directory, "check", "--output=json", name)).status, 63);
    }
  },
);

Deno.test("check never exits with 2 for anything but corruptions", async () => {
  for (const args of [[], ["--nonsense"], ["/nonexistent"]]) {
    const { status, stderr } = await diskproof(Deno.cwd(), ["check", ...args]);
    assertEquals(status, 1);
    assertEquals(stderr.trimEnd().split("\n").length, 1);
  }
});
