import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { EditError, type ResizeOptions } from "../../../src/format/mod.ts";
import { liveTest, QEMU } from "../../live.ts";
import { Managed, managedModels, type View } from "./managed.ts";
import { assertClean, assertReads, edit, tool } from "./qemu.ts";

const MiB = 2 ** 20;

interface Resize {
  readonly unit: "sector" | "cluster" | "table";
  readonly by: number;
  readonly preallocation: NonNullable<ResizeOptions["preallocation"]>;
}

const sizes = fc.array(
  fc.record<Resize>({
    unit: fc.constantFrom("sector", "cluster", "cluster", "table"),
    by: fc.integer({ min: -5, max: 4 }),
    preallocation: fc.constantFrom("off", "off", "metadata", "falloc", "full"),
  }),
  { minLength: 1, maxLength: 3 },
);

/** A view with another size. */
function resized({ bytes }: View, { size, clusterSize }: { size: number; clusterSize: number }) {
  const kept = [...bytes].filter(([at]) => at < size).map(([at, before]) => {
    const after = new Uint8Array(Math.min(clusterSize, size - at));
    after.set(before.subarray(0, after.length));
    return [at, after] as const;
  });
  return new Map(kept);
}

Deno.test("a disk that grows reads as zeros there, and a crash leaves the old size or the new one", () => {
  fc.assert(
    fc.property(managedModels, sizes, (model, all) => {
      const managed = Managed.open(model);
      if (managed === undefined) return fc.pre(false);
      const { clusterSize } = managed.editor.layer;
      for (const { unit, by, preallocation } of all) {
        const units = {
          sector: 512,
          cluster: clusterSize,
          table: clusterSize * (clusterSize / 8),
        };
        const before = managed.views();
        const first = managed.store.steps.length;
        const size = Math.max(0, before.active.size + by * units[unit]);
        // The tables of a disk that is preallocated are in memory.
        const mode = size - before.active.size > 2 ** 21 ? "off" : preallocation;
        try {
          managed.editor.resize?.(size, {
            shrink: true,
            preallocation: size < before.active.size ? "off" : mode,
          });
        } catch (error) {
          if (!(error instanceof EditError)) throw error;
          assertEquals(managed.viewsOf(managed.check()), before);
          continue;
        }
        const after = managed.viewsOf(managed.check());
        assertEquals(after.active.size, size);
        const wanted = resized(before.active, { size, clusterSize });
        for (const [at, bytes] of after.active.bytes) {
          assertEquals(bytes, wanted.get(at) ?? new Uint8Array(bytes.length), `at ${at}`);
        }
        assertEquals(after.snapshots, before.snapshots);
        if (model.dirty) continue;
        for (const store of managed.crashes(first)) {
          const layer = managed.check(store, { leaks: true });
          const old = layer.virtualSize === before.active.size;
          assert(old || layer.virtualSize === size);
          // The files of a data file are not recorded.
          if (model.dataFile === undefined) {
            const { active } = managed.viewsOf(layer);
            assertEquals(active, (old ? before : after).active);
          }
        }
      }
    }),
    { numRuns: 50 },
  );
});

const KINDS: readonly (readonly [name: string, options: string])[] = [
  ["version 3", "cluster_size=2k"],
  ["version 2", "compat=0.10,cluster_size=4k"],
  ["extended L2", "extended_l2=on,cluster_size=16k"],
  ["a raw data file", "data_file=DATA,data_file_raw=on"],
];

for (const [name, options] of KINDS) {
  liveTest(
    { needs: QEMU },
    `qemu-img and diskproof resize a disk in turns: ${name}`,
    async (at) => {
      const path = `${at}/disk.qcow2`;
      const own = options.replace("DATA", `${at}/data`);
      await tool("qemu-img", "create", "-q", "-f", "qcow2", "-o", own, path, "1000k");
      await tool("qemu-io", "-c", "write -P 1 0 1000k", path);
      edit(path, (editor) => {
        editor.resize?.(40 * MiB);
        editor.write(39 * MiB, new Uint8Array(MiB).fill(2));
      });
      await assertClean(path);
      await assertReads(path, [1, 0, 1000 * 1024], [0, 1000 * 1024, 38 * MiB], [2, 39 * MiB, MiB]);
      const copy = `${at}/copy.qcow2`;
      await Deno.copyFile(path, copy);
      await tool("qemu-img", "resize", "-q", "--shrink", copy, "700k");
      edit(path, (editor) => editor.resize?.(700 * 1024, { shrink: true }));
      await assertClean(path);
      assertEquals((await Deno.stat(path)).size, (await Deno.stat(copy)).size);
      await tool("qemu-img", "resize", "-q", path, "3M");
      edit(path, (editor) => editor.resize?.(4 * MiB, { preallocation: "metadata" }));
      await assertClean(path);
      await assertReads(path, [1, 0, 700 * 1024], [0, 768 * 1024, 4 * MiB - 768 * 1024]);
    },
  );
}

liveTest(
  { needs: QEMU },
  "a disk that grows over a longer backing file reads as zeros",
  async (at) => {
    const path = `${at}/disk.qcow2`;
    await tool("qemu-img", "create", "-q", "-f", "raw", `${at}/base`, "3M");
    await tool("qemu-io", "-f", "raw", "-c", "write -P 9 0 3M", `${at}/base`);
    const backing = ["-b", `${at}/base`, "-F", "raw"];
    await tool("qemu-img", "create", "-q", "-f", "qcow2", ...backing, path, "100k");
    edit(path, (editor) => editor.resize?.(4 * MiB));
    await assertClean(path);
    await assertReads(path, [9, 0, 100 * 1024], [0, 100 * 1024, 4 * MiB - 100 * 1024]);
  },
);
