import { assertEquals } from "@std/assert";
import type { Layer, MapEntry } from "../../src/format/mod.ts";
import { openImage } from "../../src/image/mod.ts";
import { succeed } from "../qcow1/live.ts";
import { liveTest, QEMU } from "../live.ts";

interface Range {
  readonly start: number;
  readonly length: number;
}

/**
 * The dirty ranges of a bitmap, as an NBD server reports them: its map has no data where a bit is
 * set.
 */
async function served(directory: string, bitmap: string): Promise<Range[]> {
  const socket = `${directory}/socket`;
  const args = ["-r", "-t", "-f", "qcow2", "-k", socket, "-B", bitmap, `${directory}/disk.qcow2`];
  const server = new Deno.Command("qemu-nbd", { args, stderr: "null" }).spawn();
  try {
    await appears(socket, server);
    const options = [
      "driver=nbd,server.type=unix",
      `server.path=${socket}`,
      `x-dirty-bitmap=qemu:dirty-bitmap:${bitmap}`,
    ];
    const said = await succeed([
      "qemu-img",
      "map",
      "--output=json",
      "--image-opts",
      options.join(),
    ]);
    return (JSON.parse(said) as MapEntry[]).filter((entry) => !entry.data)
      .map(({ start, length }) => ({ start, length }));
  } finally {
    server.kill("SIGKILL");
    await server.status;
    await Deno.remove(socket).catch(() => {});
  }
}

/** Waits for a file of a server that makes it or ends. */
async function appears(path: string, server: Deno.ChildProcess): Promise<void> {
  let ended = false;
  server.status.then(() => ended = true);
  while (!await Deno.stat(path).then(() => true, () => false)) {
    if (ended) throw new Error(`${path} does not appear`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function ranges(layer: Layer | undefined, name: string): Range[] {
  const bitmap = layer?.bitmaps?.find((candidate) => candidate.name === name);
  return [...bitmap?.ranges() ?? []];
}

liveTest(
  { needs: [...QEMU, "qemu-nbd"] },
  "the bits of a bitmap are those that qemu-nbd serves",
  async (directory) => {
    const disk = `${directory}/disk.qcow2`;
    await succeed([
      "qemu-img",
      "create",
      "-q",
      "-f",
      "qcow2",
      "-o",
      "cluster_size=512",
      disk,
      "5000000",
    ]);
    for (const [name, granularity] of [["fine", "512"], ["middle", "4k"], ["coarse", "1M"]]) {
      await succeed([
        "qemu-img",
        "bitmap",
        "--add",
        "-g",
        granularity as string,
        disk,
        name as string,
      ]);
    }
    await succeed(["qemu-io", "-f", "qcow2", "-c", "write 0 513", disk]);
    await succeed([
      "qemu-io",
      "-f",
      "qcow2",
      "-c",
      "write 100k 70k",
      "-c",
      "write 4999000 500",
      disk,
    ]);
    for (const name of ["fine", "middle", "coarse"]) {
      const theirs = await served(directory, name);
      const image = openImage(disk);
      assertEquals(ranges(image.layer, name), theirs, name);
      image.close();
    }
  },
);

liveTest(
  { needs: QEMU },
  "a bitmap that is empty or full has no range or one",
  async (directory) => {
    const disk = `${directory}/disk.qcow2`;
    await succeed(["qemu-img", "create", "-q", "-f", "qcow2", disk, "1M"]);
    await succeed(["qemu-img", "bitmap", "--add", disk, "empty"]);
    await succeed(["qemu-img", "bitmap", "--add", disk, "full"]);
    await succeed(["qemu-img", "bitmap", "--disable", disk, "empty"]);
    await succeed(["qemu-io", "-f", "qcow2", "-c", "write 0 1M", disk]);
    const image = openImage(disk);
    assertEquals(ranges(image.layer, "empty"), []);
    assertEquals(ranges(image.layer, "full"), [{ start: 0, length: 2 ** 20 }]);
    assertEquals(image.layer?.bitmaps?.map(({ name, auto, inUse }) => [name, auto, inUse]), [
      ["empty", false, false],
      ["full", true, false],
    ]);
    image.close();
  },
);

liveTest(
  { needs: QEMU },
  "snapshots are listed with the size that the disk had when they were taken",
  async (directory) => {
    const disk = `${directory}/disk.qcow2`;
    await succeed(["qemu-img", "create", "-q", "-f", "qcow2", disk, "1M"]);
    await succeed(["qemu-img", "snapshot", "-c", "before", disk]);
    await succeed(["qemu-img", "resize", "-q", disk, "3M"]);
    await succeed(["qemu-img", "snapshot", "-c", "after", disk]);
    const image = openImage(disk);
    assertEquals(image.layer?.snapshots, [
      { id: "1", name: "before", virtualSize: 2 ** 20 },
      { id: "2", name: "after", virtualSize: 3 * 2 ** 20 },
    ]);
    image.close();
  },
);
