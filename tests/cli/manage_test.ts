import { assertEquals, assertStringIncludes } from "@std/assert";
import { runTool } from "../../src/peers/mod.ts";
import { liveTest } from "../live.ts";
import { diskproof } from "./program.ts";

const NEEDS = { needs: ["qemu-img"] } as const;

liveTest(NEEDS, "snapshot and bitmap change what qemu-img lists", async (directory) => {
  const image = "disk.qcow2";
  const path = `${directory}/${image}`;
  await runTool(["qemu-img", "create", "-q", "-f", "qcow2", path, "1M"]);
  const run = (...args: string[]) => diskproof(directory, args);
  assertEquals(await run("snapshot", "-c", "first", image), {
    status: 0,
    stdout: "snapshot 1: first\n",
    stderr: "",
  });
  await run("bitmap", "add", image, "map", "-g", "4K");
  const { stdout: info } = await runTool(["qemu-img", "info", "--output=json", path]);
  const { snapshots: [{ id, name }], "format-specific": { data: { bitmaps } } } = JSON.parse(info);
  assertEquals({ id, name }, { id: "1", name: "first" });
  assertEquals(bitmaps, [{ flags: ["auto"], name: "map", granularity: 4096 }]);
  const { stdout: list } = await run("bitmap", "list", image);
  assertEquals(list, "map: granularity 4096, enabled, 0 bytes set\n");
  const missing = await run("snapshot", "apply", image, "second");
  assertEquals(missing.status, 1);
  assertStringIncludes(missing.stderr, "There is no snapshot 'second'");
  await run("snapshot", "delete", image, "first");
  const { stdout: left } = await run("snapshot", "list", image, "--json");
  assertEquals(JSON.parse(left), []);
});

liveTest(NEEDS, "amend and check --repair do what qemu-img does", async (directory) => {
  const path = `${directory}/disk.qcow2`;
  await runTool(["qemu-img", "create", "-q", "-f", "qcow2", path, "1M"]);
  const run = (...args: string[]) => diskproof(directory, args);
  assertEquals((await run("amend", "disk.qcow2", "-o", "compat=0.10")).status, 0);
  const { stdout: info } = await runTool(["qemu-img", "info", path]);
  assertStringIncludes(info, "compat: 0.10");
  const file = Deno.openSync(path, { write: true });
  // The refcount of cluster 40.
  file.seekSync(0x20000 + 2 * 40, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array([0, 1]));
  file.close();
  const copy = `${directory}/copy.qcow2`;
  await Deno.copyFile(path, copy);
  const theirs = await runTool(["qemu-img", "check", "-r", "leaks", "--output=json", copy]);
  const ours = await run("check", "-r", "leaks", "--json", "disk.qcow2");
  assertEquals(ours.status, 0);
  const { filename: _, ...report } = JSON.parse(ours.stdout);
  const { filename: __, ...wanted } = JSON.parse(theirs.stdout);
  assertEquals(report, wanted);
  const damaged = Deno.openSync(path, { write: true });
  // The entry of the refcount table.
  damaged.seekSync(0x10000, Deno.SeekMode.Start);
  damaged.writeSync(new Uint8Array(8));
  damaged.close();
  const failed = await run("check", "-r", "leaks", "disk.qcow2");
  assertEquals(failed.status, 1);
  assertStringIncludes(failed.stderr, "--repair all");
  const { stderr: refused } = await run("resize", "disk.qcow2", "2M");
  assertStringIncludes(refused, "It is damaged (inspect shows where)");
  const { status, stderr } = await run("amend", "disk.qcow2", "-o", "cluster_size=512");
  assertEquals(status, 2);
  assertStringIncludes(stderr, "amend does not change cluster_size");
  assertEquals((await run("check", "-r", "all", "disk.qcow2")).status, 0);
});
