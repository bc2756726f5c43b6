import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { type AmendOptions, EditError } from "../../../src/format/mod.ts";
import { liveTest, QEMU } from "../../live.ts";
import { Managed, managedModels } from "./managed.ts";
import { assertClean, assertReads, edit, tool } from "./qemu.ts";

const amendments: fc.Arbitrary<AmendOptions[]> = fc.array(
  fc.record<AmendOptions>(
    {
      version: fc.constantFrom(2, 3),
      refcountBits: fc.integer({ min: 0, max: 6 }).map((order) => 2 ** order),
      lazyRefcounts: fc.boolean(),
      dataFileRaw: fc.boolean(),
    },
    { requiredKeys: [] },
  ),
  { minLength: 1, maxLength: 3 },
);

Deno.test("an image that is amended has the same content, and after a crash, too", () => {
  fc.assert(
    fc.property(managedModels, amendments, (model, all) => {
      const managed = Managed.open(model);
      if (managed === undefined) return fc.pre(false);
      const before = managed.views();
      for (const amendment of all) {
        const first = managed.store.steps.length;
        try {
          managed.editor.amend?.(amendment);
        } catch (error) {
          if (!(error instanceof EditError)) throw error;
        }
        const layer = managed.check();
        assertEquals(managed.viewsOf(layer), before);
        if (model.dirty) continue;
        for (const store of managed.crashes(first)) {
          assertEquals(managed.viewsOf(managed.check(store, { leaks: true })), before);
        }
      }
      managed.write(1, 4);
      managed.write(0, 7);
      managed.editor.close();
      managed.check();
    }),
    { numRuns: 40 },
  );
});

Deno.test("the backing file is changed in the header, and everything else stays", () => {
  fc.assert(
    fc.property(managedModels, fc.string({ unit: "grapheme", minLength: 1 }), (model, name) => {
      const managed = Managed.open(model);
      if (managed === undefined || name.includes("\0")) return fc.pre(false);
      const { backing } = managed.editor.layer;
      try {
        managed.editor.setBacking?.({ name, format: "raw" });
      } catch (error) {
        if (!(error instanceof EditError)) throw error;
        return;
      }
      assertEquals(managed.check().backing, { name, format: "raw" });
      managed.editor.setBacking?.(backing);
      assertEquals(managed.check().backing, backing);
      managed.editor.setBacking?.(undefined);
      assertEquals(managed.check().backing, undefined);
    }),
    { numRuns: 30 },
  );
});

const CHANGES: readonly (readonly [create: string, amend: AmendOptions, info: object])[] = [
  ["compat=0.10", { version: 3, lazyRefcounts: true }, { compat: "1.1", "lazy-refcounts": true }],
  ["compat=1.1", { version: 2 }, { compat: "0.10", "refcount-bits": 16 }],
  ["refcount_bits=8", { version: 2, refcountBits: 16 }, { compat: "0.10", "refcount-bits": 16 }],
  ["cluster_size=4k", { refcountBits: 64 }, { "refcount-bits": 64 }],
  ["cluster_size=4k,refcount_bits=64", { refcountBits: 2 }, { "refcount-bits": 2 }],
  ["data_file=DATA,data_file_raw=on", { dataFileRaw: false }, { "data-file-raw": false }],
];

for (const [create, amend, expected] of CHANGES) {
  liveTest({ needs: QEMU }, `qemu-img reads what was amended: ${create}`, async (at) => {
    const path = `${at}/disk.qcow2`;
    const options = create.replace("DATA", `${at}/data`);
    await tool("qemu-img", "create", "-q", "-f", "qcow2", "-o", options, path, "3M");
    await tool("qemu-io", "-c", "write -P 1 0 1M", "-c", "write -z 512k 64k", path);
    const snapshots = !create.includes("data_file");
    if (snapshots) await tool("qemu-img", "snapshot", "-c", "one", path);
    await tool("qemu-io", "-c", "write -P 2 900k 300k", path);
    edit(path, (editor) => editor.amend?.(amend));
    await assertClean(path);
    await assertReads(path, [1, 0, 512 * 1024], [0, 512 * 1024, 65536], [
      2,
      900 * 1024,
      300 * 1024,
    ]);
    const { "format-specific": { data } } = JSON.parse(
      await tool("qemu-img", "info", "--output=json", path),
    );
    for (const [key, value] of Object.entries(expected)) assertEquals(data[key], value, key);
    await tool("qemu-io", "-c", "write -P 3 2M 64k", path);
    if (snapshots) {
      await tool("qemu-img", "snapshot", "-a", "one", path);
      await assertReads(path, [1, 0, 512 * 1024], [0, 512 * 1024, 65536], [0, 2 ** 21, 65536]);
    }
    await assertClean(path);
  });
}

liveTest(
  { needs: QEMU },
  "zero clusters over a backing file stay zeros in version 2",
  async (at) => {
    const path = `${at}/disk.qcow2`;
    await tool("qemu-img", "create", "-q", "-f", "raw", `${at}/base`, "1M");
    await tool("qemu-io", "-f", "raw", "-c", "write -P 9 0 1M", `${at}/base`);
    await tool("qemu-img", "create", "-q", "-f", "qcow2", "-b", `${at}/base`, "-F", "raw", path);
    await tool("qemu-io", "-c", "write -z 0 128k", "-c", "write -P 1 128k 64k", path);
    await tool("qemu-img", "snapshot", "-c", "one", path);
    await tool("qemu-io", "-c", "write -z 128k 64k", path);
    edit(path, (editor) => editor.amend?.({ version: 2 }));
    await assertClean(path);
    await assertReads(path, [0, 0, 192 * 1024], [9, 192 * 1024, 832 * 1024]);
    await tool("qemu-img", "snapshot", "-a", "one", path);
    await assertReads(path, [0, 0, 131072], [1, 131072, 65536], [9, 192 * 1024, 832 * 1024]);
    assert((await tool("qemu-img", "info", path)).includes("compat: 0.10"));
  },
);
