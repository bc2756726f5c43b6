import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { qcow2Models } from "../../../fuzz/formats/qcow2/models.ts";
import { normaliseQcow2 } from "../../../src/qcow2/build/mod.ts";
import type { Qcow2Model } from "../../../src/qcow2/model.ts";
import { assertQemuAgrees } from "../../qcow2/built_live.ts";
import { plain } from "../../qcow2/built_parts.ts";
import { liveTest, QEMU } from "../../live.ts";

const small = qcow2Models({ clusterBitsMax: 16 });

Deno.test("qcow2Models() gives the same models for the same seed", () => {
  const draw = (): Qcow2Model[] => fc.sample(small, { numRuns: 20, seed: 1 });
  assertEquals(draw(), draw());
});

Deno.test("qcow2Models() gives normalised models", () => {
  for (const model of fc.sample(small, { numRuns: 300, seed: 2 })) {
    assertEquals(normaliseQcow2(model), model);
  }
});

Deno.test("qcow2Models() covers every feature in a fair share of its models", () => {
  const models = fc.sample(small, { numRuns: 2000, seed: 3 });
  const has = (kind: string) => (model: Qcow2Model) =>
    model.clusters.some((cluster) => cluster.kind === kind);
  const features: [string, number, (model: Qcow2Model) => boolean][] = [
    ["version 2", 0.1, ({ version }) => version === 2],
    ["extended L2", 0.1, ({ extendedL2 }) => extendedL2],
    ["zstd", 0.2, ({ compression }) => compression === "zstd"],
    ["data", 0.5, has("data")],
    ["compressed", 0.1, has("compressed")],
    ["zero", 0.05, has("zero")],
    ["zero-allocated", 0.05, has("zero-allocated")],
    ["subclusters", 0.05, has("subclusters")],
    ["snapshots", 0.1, ({ snapshots }) => snapshots.length > 0],
    ["shared clusters", 0.05, ({ snapshots }) => snapshots.some((s) => s.shared.length > 0)],
    ["VM state", 0.03, ({ snapshots }) => snapshots.some((s) => s.vmState.length > 0)],
    ["bitmaps", 0.1, ({ bitmaps }) => bitmaps.length > 0],
    ["a backing file", 0.2, ({ backing }) => backing !== undefined],
    ["a data file", 0.05, ({ dataFile }) => dataFile !== undefined],
    ["unknown extensions", 0.1, ({ unknownExtensions }) => unknownExtensions.length > 0],
    ["feature names", 0.05, ({ featureTable }) => featureTable],
    ["another order", 0.1, ({ placement }) => placement.seed !== 0],
    ["leaks", 0.03, ({ placement }) => placement.leaks > 0],
    ["a large disk", 0.03, ({ size }) => size > 1n << 30n],
    ["no disk", 0.01, ({ size }) => size === 0n],
    ["a size off a sector", 0.1, ({ size }) => size % 512n !== 0n],
    ["narrow refcounts", 0.05, ({ refcountOrder }) => refcountOrder < 3],
  ];
  for (const [name, share, meets] of features) {
    const met = models.filter(meets).length / models.length;
    assert(met >= share, `${name}: ${met}`);
  }
});

/** The smallest model that shrinking finds for which something holds. */
function shrunk(seed: number, holds: (model: Qcow2Model) => boolean): Qcow2Model {
  const property = fc.property(small, (model) => !holds(model));
  const { counterexample } = fc.check(property, { seed, numRuns: 2000 });
  assert(counterexample !== null, "no model to start from");
  return counterexample[0];
}

Deno.test("qcow2Models() shrinks to models with only the relevant parts", () => {
  for (const seed of [1, 2, 3]) {
    const model = shrunk(
      seed,
      ({ clusters }) => clusters.some(({ kind }) => kind === "compressed"),
    );
    assertEquals(model, {
      ...plain,
      size: 512n,
      clusters: [{
        index: 0,
        kind: "compressed",
        pattern: { kind: "fill", seed: 0 },
        level: 6,
        gap: 0,
      }],
    });
  }
});

Deno.test("qcow2Models() shrinks snapshots and bitmaps to one with nothing else", () => {
  const shared = shrunk(5, ({ snapshots }) => snapshots.some((s) => s.shared.length > 0));
  assertEquals(shared.clusters.length, 1);
  assertEquals(shared.snapshots.length, 1);
  assertEquals(shared.snapshots[0]?.clusters, []);
  assertEquals(shared.snapshots[0]?.vmState, []);
  assertEquals(shared.bitmaps, []);
  const bitmaps = shrunk(6, (model) => model.bitmaps.length > 1);
  assertEquals(bitmaps.bitmaps.length, 2);
  assertEquals(bitmaps.clusters, []);
});

Deno.test("qcow2Models() shrinks a model that came from elsewhere", () => {
  for (const model of fc.sample(small, { numRuns: 100, seed: 8 })) {
    assert(small.canShrinkWithoutContext(model));
    const next = small.shrink(model, undefined).getNthOrLast(0);
    if (next !== null) assertEquals(normaliseQcow2(next.value), next.value);
  }
});

liveTest(
  { needs: QEMU },
  "qcow2Models() gives models that qemu-img reads as intended",
  async (directory) => {
    for (const [i, model] of fc.sample(small, { numRuns: 25, seed: 9 }).entries()) {
      const own = `${directory}/${i}`;
      await Deno.mkdir(own);
      try {
        await assertQemuAgrees(model, own);
      } catch (cause) {
        throw new Error(`model ${i}: ${fc.stringify(model)}`, { cause });
      }
    }
  },
);
