import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { qcow2Models } from "../../fuzz/formats/qcow2/models.ts";
import { MemoryStore } from "../../src/bytes/mod.ts";
import { data, plain } from "./built_parts.ts";
import { apply, assertWritten, brokenRules, changes, openWritten } from "./written.ts";

const SMALL = { clusterBitsMax: 14, limits: { l1Bytes: 4096 } } as const;

Deno.test("an image that is changed equals the same bytes in memory, and check finds nothing", () => {
  const models = fc.oneof(
    { weight: 4, arbitrary: qcow2Models(SMALL) },
    { weight: 1, arbitrary: qcow2Models({ ...SMALL, encryption: "some" }) },
  );
  fc.assert(
    fc.property(models, changes, (model, steps) => {
      const written = openWritten(model);
      if (written === undefined) return fc.pre(false);
      const before = brokenRules(written);
      const ranges = steps.map((step) => apply(written, step));
      written.editor.close();
      assertWritten(written, ranges);
      assertEquals(brokenRules(written).filter((rule) => !before.includes(rule)), []);
    }),
    { numRuns: 80 },
  );
});

Deno.test("an image that is emptied shows its backing file, and keeps its snapshots", () => {
  fc.assert(
    fc.property(qcow2Models(SMALL), changes, (model, steps) => {
      const written = openWritten(model);
      if (written === undefined) return fc.pre(false);
      const ranges = steps.map((step) => apply(written, step));
      written.editor.makeEmpty?.();
      const { virtualSize } = written.editor.layer;
      for (const { kind } of written.editor.layer.runs(0, virtualSize)) {
        assertEquals(kind, model.dataFile?.raw === true ? "zero" : "unallocated");
      }
      assertWritten({ ...written, expected: new MemoryStore(written.below) }, ranges);
    }),
    { numRuns: 20 },
  );
});

Deno.test("zeros over a disk of 1 PiB cost what its tables cost", () => {
  const size = 2n ** 50n;
  const written = openWritten({ ...plain, clusterBits: 21, size, clusters: [data(0), data(3)] });
  assert(written !== undefined, "the image can be written to");
  const { editor, store } = written;
  const before = store.size;
  editor.writeZeroes(0, 2 ** 50);
  editor.close();
  assertEquals(store.size, before);
  const stored = [...editor.layer.runs(0, 2 ** 50)].filter(({ kind }) => kind === "data");
  assertEquals(stored, []);
});
