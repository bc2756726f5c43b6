import { assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { deviceSize } from "../../src/bytes/file_system.ts";
import { liveTest, QEMU } from "../live.ts";
import { make } from "../peers/tools.ts";
import { spawnDiskproof as diskproof } from "./program.ts";

Deno.test("deviceSize() is where reading ends", () => {
  for (const size of [0, 1, 2, 3, 511, 512, 4096, 12_345 * 512, 2 ** 40 + 512]) {
    let reads = 0;
    const readAt = (offset: number, target: Uint8Array): number => {
      reads++;
      return Math.max(0, Math.min(target.length, size - offset));
    };
    assertEquals(deviceSize(readAt), size);
    assertEquals(reads < 120, true);
  }
});

/** Runs a script of the shell, and returns what it prints, or `undefined` if it fails. */
async function shell(script: string, ...args: string[]): Promise<string | undefined> {
  const command = new Deno.Command("/bin/sh", { args: ["-c", script, "sh", ...args] });
  const { success, stdout } = await command.output();
  return success ? new TextDecoder().decode(stdout).trim() : undefined;
}

const ATTACH = 'losetup --find --show --read-only "$1" 2>/dev/null';

/** Runs the program with all permissions of Deno. */
async function device(...args: string[]): Promise<{ status: number; stdout: string }> {
  const words = config.tasks.diskproof.command.split(" ")
    .filter((word) => !word.startsWith("--allow"));
  words.splice(2, 0, "--allow-all");
  const script = `${new URL("../../", import.meta.url).pathname}${words.at(-1)}`;
  const all = [...words.slice(0, -1), script, ...args].map((word) => `'${word}'`).join(" ");
  const { code, stdout } = await new Deno.Command("/bin/sh", { args: ["-c", all] }).output();
  return { status: code, stdout: new TextDecoder().decode(stdout) };
}

liveTest(
  { needs: QEMU },
  "verbs read a block device as qemu-img does",
  async (directory) => {
    await make(directory, "qemu-img", "create", "-q", "-f", "qcow2", "image", "64M");
    await make(directory, "qemu-io", "-c", "write -P 7 1M 200k", "image");
    Deno.truncateSync(`${directory}/image`, 2 ** 20);
    const loop = await shell(ATTACH, `${directory}/image`);
    // A loop device takes root, and a kernel that has them.
    if (loop === undefined) return;
    try {
      const info = await shell('qemu-img info --output json "$1"', loop);
      assertEquals((await device("info", "--json", loop)).stdout.trim(), info);
      const image = await diskproof(directory, ["digest", "image"]);
      const digest = (await device("digest", loop)).stdout;
      assertEquals(digest.split(" ")[0], image.stdout.split(" ")[0]);
      const judged = JSON.parse((await device("judge", loop)).stdout);
      assertEquals(judged.spec.verdict, "valid");
      assertEquals((await device("admit", loop)).status, 0);
      // Without all permissions, one line says how.
      const refused = await diskproof(directory, ["info", loop]);
      assertEquals(refused.status, 2);
      assertStringIncludes(refused.stderr, "a copy of its node in another folder");
      if (await shell('cp -a "$1" "$2"', loop, `${directory}/node`) !== undefined) {
        const copied = await diskproof(directory, ["digest", "node"]);
        assertEquals(copied.stdout, image.stdout.replace("  image", "  node"));
      }
      // An image still makes nobody open a device.
      await make(
        directory,
        "qemu-img",
        "create",
        "-q",
        "-u",
        "-f",
        "qcow2",
        "-b",
        loop,
        "-F",
        "raw",
        "overlay",
        "1M",
      );
      const overlay = await diskproof(directory, ["judge", "--root", "/", "overlay"]);
      assertEquals(JSON.parse(overlay.stdout).qemu.open, "unknown");
    } finally {
      await shell('losetup --detach "$1"', loop);
    }
  },
);
