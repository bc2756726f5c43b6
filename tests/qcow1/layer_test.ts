import { assert, assertEquals, assertThrows } from "@std/assert";
import { type ByteSource, MemorySource } from "../../src/bytes/mod.ts";
import { AccessError, type Layer, patternBytes } from "../../src/format/mod.ts";
import { buildQcow1, contentOf, qcow1Driver } from "../../src/qcow1/mod.ts";
import { Findings } from "../../src/rules/mod.ts";
import { AS_QEMU, builtOf, edited, fieldOf, modelOf, placeOf, sourceOf } from "./images.ts";
import { alone, succeed, writeImage } from "./live.ts";
import { openQcow, readGuest } from "./ours.ts";
import { liveTest, QEMU } from "../live.ts";

function layerOf(source: ByteSource): Layer {
  const layer = qcow1Driver.open(source, new Findings());
  assert(layer !== undefined);
  return layer;
}

Deno.test("probe() accepts the magic with version 1 and nothing else", () => {
  const head = sourceOf(builtOf()).read(0, 512);
  assert(qcow1Driver.probe(head));
  assert(!qcow1Driver.probe(Uint8Array.from(head, (byte, at) => at === 7 ? 2 : byte)));
  assert(!qcow1Driver.probe(Uint8Array.from(head, (byte, at) => at === 3 ? 0 : byte)));
  assert(!qcow1Driver.probe(new Uint8Array(512)));
});

Deno.test("open() returns no layer without a usable geometry", () => {
  const edits = [{ magic: 0 }, { version: 2 }, { cluster_bits: 8 }, { l2_bits: 14 }, {
    size: 2n ** 63n,
  }, { l1_table_offset: 2n ** 63n }];
  for (const fields of edits) {
    const [[name, value] = ["", 0]] = Object.entries(fields);
    const source = edited(builtOf(), { [`/header/${name}`]: value });
    const findings = new Findings();
    assertEquals(qcow1Driver.open(source, findings), undefined, name);
    assert(findings.refusal("info") !== undefined, name);
  }
});

Deno.test("open() judges everything that has a meaning, not only what QEMU reports first", () => {
  const source = edited(builtOf({ backing: { name: "base" } }), {
    "/header/size": 1,
    "/header/cluster_bits": 8,
    "/header/l2_bits": 14,
    "/header/crypt_method": 2,
    "/header/backing_file_size": 1024,
    "/header/mtime": 1,
  });
  const findings = new Findings();
  qcow1Driver.open(source, findings);
  assertEquals(findings.rules(), [
    "qcow1.header.size-min",
    "qcow1.header.cluster-bits",
    "qcow1.header.l2-bits",
    "qcow1.crypt.method",
    "qcow1.backing.name-length",
    "qcow1.header.size-512",
    "qcow1.header.padding-mtime",
  ]);
});

Deno.test("open() accepts any bytes", () => {
  for (let seed = 0; seed < 200; seed++) {
    const bytes = patternBytes({ kind: "noise", seed }, seed);
    const head = sourceOf(builtOf()).read(0, 32);
    bytes.set(head.subarray(0, Math.min(seed, 32)));
    openQcow(new MemorySource(bytes));
  }
});

Deno.test("runs() merges adjacent entries that are adjacent in the file and no others", () => {
  const clusters = [0, 1, 2, 5, 6].map((index) => ({
    index,
    kind: "data" as const,
    pattern: { kind: "text" as const, seed: index },
  }));
  const built = builtOf({ size: 8n * 4096n, clusters, placement: { holes: [0, 0, 0, 0, 8] } });
  const at = (index: number) => placeOf(built, `/data[${index}]`).offset;
  assertEquals([...layerOf(sourceOf(built)).runs(0, 8 * 4096)], [
    { start: 0, length: 8192, kind: "data", host: at(0) },
    { start: 8192, length: 4096, kind: "data", host: at(2) },
    { start: 12288, length: 8192, kind: "unallocated" },
    { start: 20480, length: 8192, kind: "data", host: at(5) },
    { start: 28672, length: 4096, kind: "unallocated" },
  ]);
});

Deno.test("runs() separates entries that a number cannot distinguish", () => {
  const image = builtOf({ clusters: [0, 1].map((index) => ({ index, ...DATA })), size: 8192n });
  const edits = { "/l2[0]/0/l2_entry": 2n ** 62n, "/l2[0]/1/l2_entry": 2n ** 62n + 4097n };
  assertEquals([...layerOf(edited(image, edits)).runs(0, 8192)].length, 2);
  const joined = { ...edits, "/l2[0]/1/l2_entry": 2n ** 62n + 4096n };
  assertEquals([...layerOf(edited(image, joined)).runs(0, 8192)].length, 1);
});

const DATA = { kind: "data", pattern: { kind: "text", seed: 0 } } as const;

Deno.test("runs() and judge() cost what is allocated in a disk of 2^57 bytes", () => {
  const size = 268435392n * 2n ** 29n;
  const far = 2 ** 22 * 2 ** 13 + 5;
  const clusters = [{ index: 0, ...DATA }, { index: far, ...DATA }];
  const model = modelOf({ clusterBits: 16, l2Bits: 13, size, clusters });
  const built = buildQcow1(model);
  const { layer, all } = openQcow(sourceOf(built));
  assert(layer !== undefined && layer.virtualSize === Number(size));
  const runs = [...layer.runs(0, layer.virtualSize)];
  assertEquals(runs.map(({ kind }) => kind), ["data", "unallocated", "data", "unallocated"]);
  const range = { offset: far * 65536, length: 65536 };
  assertEquals(readGuest(layer, range), contentOf(model, far));
  // The file ends behind the last byte of the L1 table that is not zero.
  assertEquals(all.rules(), ["blk.io.past-eof"]);
});

Deno.test("judge() looks at each stored entry once, however many tables overlap", () => {
  const entries = 2 ** 15;
  const bytes = new Uint8Array(48 + 8 * entries);
  bytes.set(sourceOf(builtOf()).read(0, 48));
  const view = new DataView(bytes.buffer);
  view.setUint8(33, 13);
  view.setBigUint64(24, BigInt(entries) * 2n ** 25n);
  view.setBigUint64(40, 48n);
  // Every L1 entry points to a table that starts with itself.
  for (let i = 0; i < entries; i++) view.setBigUint64(48 + 8 * i, BigInt(48 + 8 * i));
  const { all } = openQcow(new MemorySource(bytes));
  // One offset in 64 is a multiple of 512.
  assertEquals(all.count("qcow1.l2e.sector-aligned"), entries - entries / 64);
});

Deno.test("judge() skips entries that no guest can reach", () => {
  const built = builtOf();
  const source = (size: number) => edited(built, { "/header/size": size, "/l2[0]/2/l2_entry": 1 });
  assert(openQcow(source(8704)).all.rules().includes("qcow1.l2e.sector-aligned"));
  // The header's size still counts the third cluster, but a guest sees whole sectors only.
  assertEquals(openQcow(source(8703)).all.rules(), ["qcow1.header.size-512"]);
  const table = edited(built, { "/header/size": 2 ** 21 + 511, "/l1/0/l1_entry": 2n ** 63n });
  assert(openQcow(table).all.rules().includes("qcow1.l1e.range"));
});

Deno.test("readRun() reads any part of a run", () => {
  const model = modelOf();
  const layer = layerOf(sourceOf(buildQcow1(model)));
  const whole = new Uint8Array(layer.virtualSize);
  [0, 1, 2].forEach((index) => whole.set(contentOf(model, index) ?? [], index * 4096));
  for (const run of layer.runs(0, layer.virtualSize)) {
    for (let skip = 0; skip < run.length; skip += 512) {
      const target = new Uint8Array(Math.min(1000, run.length - skip));
      layer.readRun(run, skip, target);
      const start = run.start + skip;
      assertEquals(target, whole.subarray(start, start + target.length));
    }
  }
});

Deno.test("readRun() reports the offset of the entry that makes a read fail", () => {
  const built = builtOf();
  const entry = fieldOf(built, "/l2[0]/0/l2_entry");
  const layer = layerOf(edited(built, { "/l2[0]/0/l2_entry": entry + 1n }));
  const [run] = layer.runs(0, 4096);
  assert(run !== undefined && run.broken === undefined);
  const error = assertThrows(() => layer.readRun(run, 0, new Uint8Array(512)));
  assert(error instanceof AccessError);
  assertEquals(error.broken.rule, "qcow1.l2e.sector-aligned");
  assertEquals(error.broken.place.path, "/l2[0]/0/l2_entry");
  assertEquals(error.broken.place.offset, BigInt(placeOf(built, "/l2[0]").offset));
});

Deno.test("readRun() does not mistake compressed data for that at the same offset", () => {
  const clusters = [0, 1].map((index) => ({
    index,
    kind: "compressed" as const,
    pattern: { kind: "text" as const, seed: 1 },
    ...AS_QEMU,
  }));
  const built = builtOf({ size: 8192n, clusters });
  const good = fieldOf(built, "/l2[0]/0/l2_entry");
  // The same offset with half the length: QEMU reads it if it has read the whole just before.
  const half = good - (BigInt(placeOf(built, "/data[0]").length >> 1) << 51n);
  const layer = layerOf(edited(built, { "/l2[0]/1/l2_entry": half }));
  const bytes = patternBytes({ kind: "text", seed: 1 }, 4096);
  assertEquals(readGuest(layer, { offset: 0, length: 4096 }), bytes);
  assert(readGuest(layer, { offset: 4096, length: 4096 }) instanceof AccessError);
  assertEquals(readGuest(layer, { offset: 0, length: 4096 }), bytes);
});

liveTest(
  { needs: QEMU },
  "runs() gives the host offset as map does for a query inside a cluster",
  async (dir) => {
    const built = builtOf({ placement: { clusterSkews: [1] } });
    const path = `${dir}/image`;
    await writeImage(path, sourceOf(built));
    const layer = layerOf(sourceOf(built));
    for (const start of [0, 512, 1024, 3584]) {
      const from = ["--start-offset", String(start)];
      const map = await succeed(["qemu-img", "map", "--output=json", ...from, alone(path)]);
      const [first] = layer.runs(start, layer.virtualSize);
      assertEquals(first?.host, JSON.parse(map)[0].offset, `${start}`);
    }
  },
);
