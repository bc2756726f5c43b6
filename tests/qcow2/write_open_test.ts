import { assert, assertEquals, assertThrows } from "@std/assert";
import { type ByteSource, MemoryStore } from "../../src/bytes/mod.ts";
import {
  EditError,
  type EditOptions,
  type ImageEditor,
  patternBytes,
} from "../../src/format/mod.ts";
import { offsetOf } from "../../src/layout/mod.ts";
import { features, header, qcow2Format, type Qcow2Model } from "../../src/qcow2/mod.ts";
import { Findings } from "../../src/rules/mod.ts";
import { liveTest, QEMU } from "../live.ts";
import { succeed } from "../qcow1/live.ts";
import { bitmap, data, plain, snapshot, text, v2, zero } from "./built_parts.ts";
import { luks } from "./encrypted_models.ts";
import { seen, storeOf } from "./written.ts";

function word(source: ByteSource, offset: number): bigint {
  return new DataView(source.read(offset, 8).slice().buffer).getBigUint64(0);
}

function setWord(store: MemoryStore, offset: number, value: bigint): void {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  store.write(offset, bytes);
}

function open(store: MemoryStore, options?: EditOptions): ImageEditor {
  const findings = new Findings();
  const editor = qcow2Format.editor?.open(store, findings, options);
  assert(editor !== undefined, JSON.stringify(findings.list()));
  return editor;
}

/** The offsets of the L1 table, of the first L2 table and of the first refcount block. */
function tablesOf(store: MemoryStore): { l1: number; l2: number; refblock: number } {
  const l1 = Number(word(store, offsetOf(header, "l1_table_offset")));
  const refcounts = Number(word(store, offsetOf(header, "refcount_table_offset")));
  const l2 = Number(word(store, l1) & 0x00ffffff_fffffe00n);
  return { l1, l2, refblock: Number(word(store, refcounts)) };
}

const filled = { ...plain, clusters: [data(0), data(1), text(2), zero(3, true), text(4)] };
const INCOMPATIBLE = offsetOf(header, "incompatible_features");

/** What is changed in a sound image, and the rule that then says why it must not be written to. */
const refused: Record<string, [(store: MemoryStore) => void, rule: string]> = {
  "the corrupt bit": [
    (store) => setWord(store, INCOMPATIBLE, features.corrupt),
    "qcow2.header.corrupt-rw",
  ],
  "an unknown incompatible bit": [
    (store) => setWord(store, INCOMPATIBLE, 1n << 40n),
    "qcow2.header.incompat-unknown",
  ],
  "a cluster at the L1 table": [(store) => {
    const { l1, l2 } = tablesOf(store);
    setWord(store, l2, BigInt(l1) | 1n << 63n);
  }, "qcow2.write.overlap-l1"],
  "a refcount that is too small": [(store) => {
    const { refblock } = tablesOf(store);
    store.write(refblock + 2, new Uint8Array(2));
  }, "qcow2.check.refcount-low"],
  "a copied flag that is wrong": [(store) => {
    const { l2 } = tablesOf(store);
    setWord(store, l2, word(store, l2) & ~(1n << 63n));
  }, "qcow2.check.copied-l2"],
  "a reserved bit": [(store) => {
    const { l2 } = tablesOf(store);
    setWord(store, l2, word(store, l2) | 1n << 8n);
  }, "qcow2.check.l2e-reserved"],
};

for (const [name, [damage, rule]] of Object.entries(refused)) {
  Deno.test(`an image is not written to: ${name}`, () => {
    const store = storeOf(filled);
    assert(qcow2Format.editor?.open(store, new Findings()) !== undefined);
    damage(store);
    const findings = new Findings();
    assertEquals(qcow2Format.editor?.open(store, findings), undefined);
    assert(findings.rules().includes(rule), findings.rules().join());
  });
}

Deno.test("an image is not written to without its passphrase or its data file", () => {
  for (
    const [changes, rule] of [
      [{ encryption: luks }, "qcow2.crypt.key-present"],
      [{ dataFile: { name: "d", raw: false } }, "qcow2.datafile.opens"],
    ] as const
  ) {
    const findings = new Findings();
    const store = storeOf({ ...plain, ...changes });
    assertEquals(qcow2Format.editor?.open(store, findings), undefined);
    assertEquals(findings.refusal("write")?.rule, rule);
  }
});

Deno.test("a cluster is not copied from a backing file that is not open", () => {
  const store = storeOf({ ...plain, backing: { name: "b" } });
  const before = store.read(0, store.size).slice();
  const editor = open(store);
  assertThrows(() => editor.write(1, new Uint8Array([1])), EditError, "backing file is not open");
  assertEquals(seen(editor.layer, undefined, [0, 512]), new Uint8Array(512));
  assertEquals(editor.layer.check?.(new Findings())?.leaks, 0);
  assertEquals(store.read(0, 512), before.subarray(0, 512));
});

Deno.test("an open changes nothing, and the first write clears only unknown autoclear bits", () => {
  const unknown = { type: 0x1234, length: 20, seed: 5 };
  const store = storeOf({
    ...filled,
    headerLength: 136,
    unknownAutoclear: 1n << 33n,
    unknownCompatible: 1n << 50n,
    unknownExtensions: [unknown],
    backing: { name: "b" },
  });
  const before = store.read(0, store.size).slice();
  const editor = open(store, { below: new MemoryStore() });
  editor.close();
  assertEquals(store.read(0, store.size), before);
  editor.write(0, new Uint8Array(512).fill(1));
  const after = store.read(0, 512).slice();
  const at = offsetOf(header, "autoclear_features");
  assertEquals(word(store, at), 0n);
  after.set(before.subarray(at, at + 8), at);
  assertEquals(after, before.subarray(0, 512));
});

Deno.test("compressed data does not follow data whose cluster was released", () => {
  const store = storeOf(plain);
  const editor = open(store);
  const noise = patternBytes({ kind: "noise", seed: 8 }, 512);
  const compressible = new Uint8Array(512).fill(5);
  editor.writeCompressed?.(0, compressible);
  editor.discard(0, 512);
  editor.write(512, noise);
  editor.writeCompressed?.(2560, compressible);
  const expected = new Uint8Array(3072);
  expected.set(noise, 512);
  expected.set(compressible, 2560);
  assertEquals(seen(editor.layer, undefined, [0, 3072]), expected);
});

/** A dirty image none of whose refcounts were written, as after a crash with lazy refcounts. */
function withoutRefcounts(model: Qcow2Model): MemoryStore {
  const store = storeOf({ ...model, dirty: true, lazyRefcounts: true });
  store.write(tablesOf(store).refblock, new Uint8Array(2 ** model.clusterBits));
  return store;
}

liveTest(
  { needs: QEMU },
  "the refcounts of a dirty image are counted before it is written to",
  async (directory) => {
    const model = {
      ...filled,
      snapshots: [snapshot("1", { shared: [0, 2], clusters: [data(7)] })],
    };
    const store = withoutRefcounts(model);
    const editor = open(store);
    const old = seen(editor.layer, undefined, [0, 6144]);
    const other = editor.layer.snapshot?.("1");
    const kept = other && seen(other, undefined, [0, 6144]);
    editor.write(256, new Uint8Array(1024).fill(6));
    old.fill(6, 256, 1280);
    assertEquals(seen(editor.layer, undefined, [0, 6144]), old);
    const now = editor.layer.snapshot?.("1");
    assertEquals(now && seen(now, undefined, [0, 6144]), kept);
    assertEquals(editor.layer.dirty, false);
    await Deno.writeFile(`${directory}/image`, store.read(0, store.size));
    const said = await succeed(["qemu-img", "check", `${directory}/image`]);
    assert(said.includes("No errors were found"), said);
  },
);

Deno.test("a discard in version 2 over a backing file does nothing, like in QEMU", () => {
  const below = new MemoryStore();
  below.write(0, new Uint8Array(6144).fill(1));
  const editor = open(storeOf({ ...v2, backing: { name: "b" }, clusters: [data(1)] }), { below });
  const before = seen(editor.layer, below, [0, 6144]);
  editor.discard(0, 6144);
  assertEquals(seen(editor.layer, below, [0, 6144]), before);
});

Deno.test("all of the disk is marked in the bitmaps of an image that is emptied", () => {
  const store = storeOf({ ...filled, bitmaps: [bitmap("b", { auto: true })] });
  const editor = open(store);
  assert([...editor.layer.bitmaps?.[0]?.ranges() ?? []].length > 1);
  editor.makeEmpty?.();
  editor.close();
  const [saved] = open(store).layer.bitmaps ?? [];
  assertEquals(saved?.inUse, false);
  assertEquals([...saved?.ranges() ?? []], [{ start: 0, length: 6144 }]);
});
