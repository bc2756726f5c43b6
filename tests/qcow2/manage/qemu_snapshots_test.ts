import { assertEquals } from "@std/assert";
import { liveTest, QEMU } from "../../live.ts";
import { assertClean, assertReads, edit, tool } from "./qemu.ts";

const MiB = 2 ** 20;

const KINDS: readonly (readonly [name: string, options: string])[] = [
  ["version 3", "cluster_size=4k"],
  ["version 2", "compat=0.10,cluster_size=64k"],
  ["extended L2", "extended_l2=on,cluster_size=16k"],
  ["refcounts of 64 bits and zstd", "refcount_bits=64,compression_type=zstd"],
  ["refcounts of 8 bits", "refcount_bits=8,cluster_size=512"],
];

for (const [name, options] of KINDS) {
  liveTest(
    { needs: QEMU },
    `qemu-img and diskproof take turns at snapshots: ${name}`,
    async (at) => {
      const path = `${at}/disk.qcow2`;
      await tool("qemu-img", "create", "-q", "-f", "qcow2", "-o", options, path, "4M");
      const write = (...commands: string[]) =>
        tool("qemu-io", ...commands.flatMap((command) => ["-c", command]), path);
      await write("write -P 1 0 600k", "write -c -P 2 1M 64k", "write -z 2M 64k");
      assertEquals(edit(path, ({ snapshots }) => snapshots?.create("a")), "1");
      await assertClean(path);
      await write("write -P 3 64k 8k", "write -P 4 1M 64k", "discard 2M 64k");
      await assertClean(path);
      await tool("qemu-img", "snapshot", "-c", "b", path);
      edit(path, (editor) => {
        editor.write(3 * MiB, new Uint8Array(100_000).fill(5));
        editor.snapshots?.apply("a");
      });
      await assertClean(path);
      await assertReads(path, [1, 0, 600 * 1024], [2, MiB, 65536], [0, 2 * MiB, 2 * MiB]);
      await write("write -P 6 0 4k");
      edit(path, ({ snapshots }) => snapshots?.delete("1"));
      await assertClean(path);
      await assertReads(path, [6, 0, 4096], [1, 4096, 596 * 1024]);
      await tool("qemu-img", "snapshot", "-a", "b", path);
      await assertReads(path, [3, 65536, 8192], [4, MiB, 65536], [0, 3 * MiB, MiB]);
      edit(path, ({ snapshots }) => snapshots?.delete("b"));
      await assertClean(path);
      await assertReads(path, [3, 65536, 8192], [4, MiB, 65536], [0, 3 * MiB, MiB]);
      edit(path, ({ snapshots }) => snapshots?.create("häppy"));
      const list = await tool("qemu-img", "snapshot", "-l", path);
      assertEquals(/^1 +häppy +0 B/m.test(list), true, list);
      await tool("qemu-img", "snapshot", "-d", "häppy", path);
      await assertClean(path);
    },
  );
}
