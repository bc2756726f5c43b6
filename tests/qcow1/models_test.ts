/** Properties of models, and of the images that are built from them. */

import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { qcow1Models } from "../../fuzz/formats/qcow1/models.ts";
import { buildQcow1, contentOf, normaliseQcow1, type Qcow1Model } from "../../src/qcow1/mod.ts";
import { modelOf, sourceOf } from "./images.ts";
import { openQcow, readGuest } from "./ours.ts";

const RUNS = { numRuns: 150, seed: 20 };

function holds(name: string, predicate: (model: Qcow1Model) => void): void {
  Deno.test(name, () => fc.assert(fc.property(qcow1Models(), predicate), RUNS));
}

holds("buildQcow1() makes the same bytes every time", (model) => {
  assertEquals(buildQcow1(model), buildQcow1(structuredClone(model)));
});

holds("normaliseQcow1() leaves alone what it made", (model) => {
  assertEquals(normaliseQcow1(model), model);
});

holds("buildQcow1() places nothing on top of something else, and in order", (model) => {
  const { placed, segments, size } = buildQcow1(model);
  for (
    const items of [
      placed,
      segments.map(({ offset, bytes }) => ({ offset, length: bytes.length }))
        .sort((a, b) => a.offset - b.offset),
    ]
  ) {
    items.reduce((end, { offset, length }) => {
      assert(offset >= end);
      return offset + length;
    }, 0);
  }
  assert(segments.every(({ offset, bytes }) => offset + bytes.length <= size));
});

holds("a generated image breaks no rule that matters", (model) => {
  const { all } = openQcow(sourceOf(buildQcow1(model)));
  assertEquals(all.list().filter(({ effect }) => effect !== "ignored"), []);
});

holds("a generated image reads as its model says", (model) => {
  const { layer } = openQcow(sourceOf(buildQcow1(model)));
  assert(layer !== undefined);
  const { clusterSize } = layer;
  for (const { index } of model.clusters) {
    const content = contentOf(model, index);
    if (content === undefined) continue;
    const range = { offset: index * clusterSize, length: content.length };
    assertEquals(readGuest(layer, range), content);
  }
  const named = new Set(model.clusters.map(({ index }) => index));
  for (const { kind, start, length } of layer.runs(0, layer.virtualSize)) {
    if (kind === "unallocated") continue;
    for (let at = start; at < start + length; at += clusterSize) {
      assert(named.has(at / clusterSize));
    }
  }
  assertEquals(layer.backing, model.backing);
});

Deno.test("normaliseQcow1() wraps any numbers into their range", () => {
  const model = modelOf({
    clusterBits: 99,
    l2Bits: -1,
    size: 2n ** 70n,
    mtime: -1,
    padding: 0x12345,
    backing: { name: `${"é".repeat(600)}\0rest` },
    clusters: [
      { index: 3, kind: "data", pattern: { kind: "text", seed: 0 } },
      { index: 2 ** 52, kind: "data", pattern: { kind: "text", seed: 0 } },
      {
        index: 3,
        kind: "compressed",
        pattern: { kind: "text", seed: 0 },
        level: 22,
        gap: -1,
        aligned: false,
      },
    ],
    placement: { l1Skew: 9, holes: [-1, 1e9], clusterSkews: [500], l2Skews: [1e6] },
  });
  assertEquals(model, {
    format: "qcow",
    clusterBits: 16,
    l2Bits: 6,
    size: 268435392n * 2n ** 22n,
    mtime: 0xffffffff,
    padding: 0x2345,
    backing: { name: "é".repeat(511) },
    clusters: [{ index: 3, kind: "data", pattern: { kind: "text", seed: 0 } }],
    placement: {
      seed: 0,
      holes: [0, 64],
      l1Skew: 7,
      l2Skews: [65535],
      clusterSkews: [127],
      cutTail: false,
    },
  });
});

Deno.test("qcow1Models() makes every kind of cluster, layout and geometry", () => {
  const models = fc.sample(qcow1Models(), { numRuns: 400, seed: 1 });
  const seen = (matches: (model: Qcow1Model) => boolean) => models.some(matches);
  for (let bits = 9; bits <= 16; bits++) assert(seen((model) => model.clusterBits === bits));
  for (let bits = 6; bits <= 13; bits++) assert(seen((model) => model.l2Bits === bits));
  assert(seen((model) => model.clusters.length === 0));
  assert(seen((model) => model.clusters.some(({ kind }) => kind === "compressed")));
  assert(seen((model) => model.backing !== undefined));
  assert(seen((model) => model.size % 512n !== 0n));
  assert(seen((model) => model.placement.seed !== 0));
  assert(seen((model) => model.placement.l1Skew !== 0));
  assert(
    seen((model) => model.clusters.some(({ index }) => contentOf(model, index) === undefined)),
  );
});

Deno.test("qcow1Models() shrinks to the model that matters", () => {
  const fails = (model: Qcow1Model) =>
    model.clusters.some(({ kind, pattern }) => kind === "compressed" && pattern.kind === "ramp");
  const found = fc.check(fc.property(qcow1Models(), (model) => !fails(model)), { seed: 3 });
  const [model] = found.counterexample ?? [];
  assertEquals(model, {
    ...modelOf({ clusterBits: 9, l2Bits: 6, size: 512n }),
    clusters: [{
      index: 0,
      kind: "compressed",
      pattern: { kind: "ramp", seed: 0 },
      level: -1,
      gap: 0,
      aligned: true,
    }],
  });
});

Deno.test("qcow1Models() shrinks a model that came from elsewhere", () => {
  const models = qcow1Models();
  for (const model of fc.sample(models, { numRuns: 200, seed: 8 })) {
    assert(models.canShrinkWithoutContext(model), fc.stringify(model));
    const next = models.shrink(model, undefined).getNthOrLast(0);
    if (next !== null) assertEquals(normaliseQcow1(next.value), next.value);
  }
});
