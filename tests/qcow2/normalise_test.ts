import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { buildQcow2, guestContent, normaliseQcow2 } from "../../src/qcow2/build/mod.ts";
import type { GuestCluster, Qcow2Model, SnapshotModel } from "../../src/qcow2/model.ts";
import { plain } from "./built_parts.ts";

const pattern = { kind: "text", seed: 0 } as const;

/** A model with changes, made normal. */
function normal(changes: Partial<Qcow2Model>): Qcow2Model {
  return normaliseQcow2({ ...plain, ...changes });
}

const snapshot: SnapshotModel = {
  id: "1",
  name: "",
  extraSize: 24,
  size: 6144,
  dateSec: 0,
  vmClockNsec: 0,
  icount: 0n,
  clusters: [],
  shared: [],
  vmState: [],
};

Deno.test("normaliseQcow2() removes from version 2 what only version 3 has", () => {
  const model = normal({
    version: 2,
    refcountOrder: 6,
    extendedL2: true,
    compression: "zstd",
    dirty: true,
    lazyRefcounts: true,
    unknownCompatible: 8n,
    featureTable: true,
    dataFile: { name: "data", raw: true },
    clusters: [{ index: 0, kind: "zero" }, { index: 1, kind: "data", pattern }],
  });
  assertEquals(model, {
    ...plain,
    version: 2,
    headerLength: 72,
    clusters: [{ index: 1, kind: "data", pattern }],
  });
});

Deno.test("normaliseQcow2() keeps the first of two clusters with one index", () => {
  const clusters: GuestCluster[] = [
    { index: 3, kind: "zero" },
    { index: 3, kind: "data", pattern },
    { index: 15, kind: "data", pattern },
  ];
  assertEquals(normal({ clusters }).clusters, [{ index: 3, kind: "zero" }]);
});

Deno.test("normaliseQcow2() stores clusters as data that compression does not make shorter", () => {
  const noise = { kind: "noise", seed: 1 } as const;
  const [kept, stored] = normal({
    clusters: [
      { index: 0, kind: "compressed", pattern, level: 6, gap: 0 },
      { index: 1, kind: "compressed", pattern: noise, level: 6, gap: 0 },
    ],
  }).clusters;
  assertEquals(kept?.kind, "compressed");
  assertEquals(stored, { index: 1, kind: "data", pattern: noise });
});

Deno.test("normaliseQcow2() makes clusters big enough for subclusters of whole sectors", () => {
  assertEquals(normal({ extendedL2: true, clusterBits: 13 }).clusterBits, 14);
  assertEquals(normal({ extendedL2: true, clusterBits: 15 }).clusterBits, 15);
});

Deno.test("normaliseQcow2() shares a cluster as often as its refcount can count", () => {
  const clusters: GuestCluster[] = [{ index: 0, kind: "data", pattern }];
  const snapshots = ["1", "2", "3", "4"].map((id) => ({ ...snapshot, id, shared: [0] }));
  const shares = (refcountOrder: number): number[] =>
    normal({ refcountOrder, clusters, snapshots }).snapshots.map(({ shared }) => shared.length);
  assertEquals(shares(0), [0, 0, 0, 0]);
  assertEquals(shares(1), [1, 1, 0, 0]);
  assertEquals(shares(2), [1, 1, 1, 1]);
});

Deno.test("normaliseQcow2() gives snapshots and bitmaps names that differ", () => {
  const model = normal({
    snapshots: ["1", "1", "", "1"].map((id) => ({ ...snapshot, id })),
    bitmaps: ["a", "a", ""].map((name) => ({
      name,
      granularityBits: 9,
      auto: false,
      inUse: false,
      table: ["zeros"],
      seed: 0,
    })),
  });
  assertEquals(model.snapshots.map(({ id }) => id), ["1", "11", "2", "12"]);
  assertEquals(model.bitmaps.map(({ name }) => name), ["a", "a1", "1"]);
});

Deno.test("normaliseQcow2() drops from the first cluster what does not fit, names last", () => {
  const extension = { type: 1, length: 100, seed: 0 };
  const model = normal({
    backing: { name: "b".repeat(250), format: "raw" },
    featureTable: true,
    unknownExtensions: [extension, { ...extension, type: 2 }],
  });
  assertEquals(model.backing, { name: "b".repeat(250), format: "raw" });
  assertEquals(model.featureTable, false);
  assertEquals(model.unknownExtensions, [extension]);
});

Deno.test("normaliseQcow2() gives unknown extensions distinct unknown types", () => {
  const types = [0, 0x44415441, 7, 7].map((type) => ({ type, length: 0, seed: 0 }));
  assertEquals(
    normal({ unknownExtensions: types }).unknownExtensions.map(({ type }) => type),
    [1, 0x44415442, 7, 8],
  );
});

Deno.test("normaliseQcow2() limits the L1 table as requested", () => {
  const size = 1n << 40n;
  assert(normal({ size }).size <= 1n << 32n);
  assertEquals(normaliseQcow2({ ...plain, clusterBits: 16, size }).size, size);
  const large = normaliseQcow2({ ...plain, size: 1n << 37n }, { l1Bytes: 32 << 20 });
  assertEquals(large.size, 1n << 37n);
});

/** Any value of the model's type, with no regard for what makes sense. */
function anyModels(): fc.Arbitrary<Qcow2Model> {
  const number = fc.oneof(fc.nat(40), fc.integer(), fc.double());
  const bool = fc.boolean();
  const text = fc.string({ unit: "binary", maxLength: 40 });
  const seeds = fc.record({
    kind: fc.constantFrom("zero", "fill", "ramp", "text", "noise"),
    seed: number,
  });
  const cluster = fc.record({
    index: number,
    kind: fc.constantFrom("data", "zero", "zero-allocated", "compressed", "subclusters"),
    pattern: seeds,
    level: number,
    gap: number,
    allocated: number,
    zero: number,
    reserved: bool,
  }) as unknown as fc.Arbitrary<GuestCluster>;
  const clusters = fc.array(cluster, { maxLength: 8 });
  return fc.record<Qcow2Model, keyof Qcow2Model>({
    format: fc.constant("qcow2"),
    version: fc.constantFrom(2, 3, 3),
    clusterBits: fc.oneof(fc.integer({ max: 14 }), fc.constant(NaN)),
    size: fc.bigInt(),
    refcountOrder: number,
    extendedL2: bool,
    compression: fc.constantFrom("deflate", "zstd"),
    headerLength: number,
    dirty: bool,
    corrupt: bool,
    lazyRefcounts: bool,
    unknownCompatible: fc.bigInt(),
    unknownAutoclear: fc.bigInt(),
    featureTable: bool,
    unknownExtensions: fc.array(fc.record({ type: number, length: number, seed: number })),
    clusters,
    snapshots: fc.array(
      fc.record({
        id: text,
        name: text,
        extraSize: number,
        size: number,
        dateSec: number,
        vmClockNsec: number,
        icount: fc.bigInt(),
        clusters,
        shared: fc.array(number),
        vmState: fc.array(seeds, { maxLength: 3 }),
      }),
      { maxLength: 3 },
    ),
    bitmaps: fc.array(
      fc.record({
        name: text,
        granularityBits: number,
        auto: bool,
        inUse: bool,
        table: fc.array(fc.constantFrom("zeros", "ones", "data")),
        seed: number,
      }),
      { maxLength: 3 },
    ),
    backing: fc.record({ name: text, format: text }),
    dataFile: fc.record({ name: text, raw: bool }),
    placement: fc.record({
      seed: number,
      holes: fc.array(number, { maxLength: 5 }),
      leaks: number,
      spareL1: number,
      spareReftable: number,
      cutTail: bool,
    }),
  }, { requiredKeys: requiredKeys() });
}

/** Every key of a model that is always there. */
function requiredKeys(): Exclude<keyof Qcow2Model, "backing" | "dataFile">[] {
  return Object.keys(plain) as Exclude<keyof Qcow2Model, "backing" | "dataFile">[];
}

Deno.test("normaliseQcow2() turns any value of the type into one that can be built, and is idempotent", () => {
  fc.assert(
    fc.property(anyModels(), (value) => {
      const model = normaliseQcow2(value);
      assertEquals(normaliseQcow2(model), model);
      const { image } = buildQcow2(model);
      assert(image.segments.every(({ offset, bytes }) => offset + bytes.length <= image.size));
      for (const view of ["active" as const, ...model.snapshots.keys()]) {
        const content = guestContent(model, view);
        for (const index of content.named) content.at(index);
      }
    }),
    { numRuns: 400, seed: 20 },
  );
});
