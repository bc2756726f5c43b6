/** Rules about what is done to an image rather than about the image: qemu does it. */

import { assert, assertEquals } from "@std/assert";
import { MemorySource } from "../../src/bytes/mod.ts";
import { builtOf, edited, fieldOf, sourceOf } from "./images.ts";
import { infoOf, run, writeImage } from "./live.ts";
import { openQcow } from "./ours.ts";
import { liveTest, QEMU } from "../live.ts";

const built = builtOf();
const FIRST = "/l2[0]/0/l2_entry";
const COMPRESSED = "/l2[0]/1/l2_entry";

async function write(path: string, command: string): Promise<boolean> {
  return (await run(["qemu-io", "-f", "qcow", "-c", command, path])).code === 0;
}

liveTest(
  { needs: QEMU },
  "qcow1.check.unsupported: qemu-img check exits with 63",
  async (directory) => {
    const path = `${directory}/image`;
    await writeImage(path, sourceOf(built));
    assertEquals((await run(["qemu-img", "check", "-f", "qcow", path])).code, 63);
    assertEquals(openQcow(sourceOf(built)).layer?.check, undefined);
  },
);

liveTest(
  { needs: QEMU },
  "qcow1.write.sector-aligned: a cluster off a multiple of 512 is not written",
  async (directory) => {
    const path = `${directory}/image`;
    const offset = fieldOf(built, FIRST);
    await writeImage(path, edited(built, { [FIRST]: offset + 1n }));
    assert(!await write(path, "write 0 4096"));
    await writeImage(path, edited(built, { [FIRST]: offset + 512n }));
    assert(await write(path, "write 0 4096"));
  },
);

liveTest(
  { needs: QEMU },
  "qcow1.write.partial-compressed: a cluster that cannot be decompressed is only overwritten as a whole",
  async (directory) => {
    const path = `${directory}/image`;
    const broken = edited(built, { [COMPRESSED]: fieldOf(built, COMPRESSED) + 1n });
    await writeImage(path, broken);
    assert(!await write(path, "write 4096 512"));
    await writeImage(path, broken);
    assert(await write(path, "write 4096 4096"));
    await writeImage(path, sourceOf(built));
    assert(await write(path, "write 4096 512"));
    const changed = openQcow(new MemorySource(await Deno.readFile(path)));
    assertEquals(changed.all.rules(), []);
    const runs = [...changed.layer?.runs(4096, 8192) ?? []];
    assertEquals(runs.map(({ kind }) => kind), ["data"]);
  },
);

liveTest(
  { needs: QEMU },
  "qcow1.create.size-nonzero: an image of size 0 is not created",
  async (directory) => {
    const path = `${directory}/image`;
    assertEquals((await run(["qemu-img", "create", "-f", "qcow", path, "0"])).code, 1);
    assertEquals((await run(["qemu-img", "create", "-f", "qcow", path, "1"])).code, 0);
    assertEquals((await infoOf(path))?.["virtual-size"], 512);
  },
);
