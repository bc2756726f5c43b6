import { assert, assertEquals } from "@std/assert";
import { type ByteSource, MemoryStore } from "../../src/bytes/mod.ts";
import { type ImageEditor, type Layer, patternBytes } from "../../src/format/mod.ts";
import { qcow2Format, type Qcow2Model } from "../../src/qcow2/mod.ts";
import { Findings } from "../../src/rules/mod.ts";
import { crashes, RecordingStore } from "../editing.ts";
import { data, extended, parts, plain, snapshot, text, v2, zero } from "./built_parts.ts";
import { seen, storeOf } from "./written.ts";

function opened(source: ByteSource): Layer {
  const layer = qcow2Format.driver.open(source, new Findings());
  assert(layer !== undefined, "the image opens");
  return layer;
}

function editorOf(store: RecordingStore, below?: ByteSource): ImageEditor {
  const editor = qcow2Format.editor?.open(store, new Findings(), below && { below });
  assert(editor !== undefined, "the image can be written to");
  return editor;
}

function assertSound(layer: Layer): void {
  const findings = new Findings();
  const counts = layer.check?.(findings);
  assertEquals(counts?.corruptions, 0, JSON.stringify(findings.list().slice(0, 3)));
  assertEquals(counts?.checkErrors, 0);
}

const BELOW = new MemoryStore();
BELOW.write(0, patternBytes({ kind: "noise", seed: 5 }, 3000));

const shared = [data(0), text(1), data(2), zero(3, true)];
const models: Record<string, Qcow2Model> = {
  "a new cluster over a backing file": { ...plain, backing: { name: "b" }, clusters: [data(4)] },
  "clusters of a snapshot": {
    ...plain,
    clusters: shared,
    snapshots: [snapshot("1", { shared: [0, 1, 2, 3] })],
  },
  "refcounts of one bit": { ...plain, refcountOrder: 0, clusters: [data(0), data(1), zero(2)] },
  "version 2": { ...v2, clusters: [data(0), text(1), text(2)] },
  "a dirty image": { ...plain, dirty: true, clusters: [data(0)] },
  "subclusters": {
    ...extended,
    clusters: [parts(0, { allocated: 0xff, zero: 0xff00 }), text(1), data(2)],
  },
};

type Step = (editor: ImageEditor, unit: number) => void;
const steps: Record<string, Step> = {
  "write": (editor, unit) => editor.write(unit / 2, new Uint8Array(3 * unit).fill(1)),
  "zeros": (editor, unit) => editor.writeZeroes(unit / 4, 2 * unit),
  "unmapped zeros": (editor, unit) => editor.writeZeroes(0, 2 * unit, { unmap: true }),
  "discard": (editor, unit) => editor.discard(0, 4 * unit),
  "compressed": (editor, unit) => editor.writeCompressed?.(unit, new Uint8Array(2 * unit).fill(3)),
};

for (const [name, model] of Object.entries(models)) {
  Deno.test(`a crash at any write loses nothing that was there before: ${name}`, () => {
    const below = model.backing === undefined ? undefined : BELOW;
    const store = storeOf(model);
    for (const step of Object.values(steps)) {
      const before = new MemoryStore(store);
      const from = seen(opened(before), below, [0, Number(model.size)]);
      const copy = new MemoryStore(store);
      const recording = new RecordingStore(copy);
      step(editorOf(recording, below), 2 ** model.clusterBits);
      const to = seen(opened(copy), below, [0, Number(model.size)]);
      const kept = model.snapshots.map(({ id }) => opened(before).snapshot?.(id) as Layer)
        .map((layer) => seen(layer, below, [0, Number(model.size)]));
      for (const crashed of crashes(before, recording.steps)) {
        const layer = opened(crashed);
        if (!layer.dirty) assertSound(layer);
        const now = seen(layer, below, [0, Number(model.size)]);
        const lost = now.findIndex((byte, i) => byte !== from[i] && byte !== to[i]);
        assert(lost < 0, `the byte at ${lost} is ${now[lost]}, not ${from[lost]} or ${to[lost]}`);
        for (const [i, { id }] of model.snapshots.entries()) {
          const view = seen(layer.snapshot?.(id) as Layer, below, [0, Number(model.size)]);
          assert(view.every((byte, at) => byte === kept[i]?.[at]), `snapshot ${id} is lost`);
        }
      }
    }
  });
}

Deno.test("the refcount table grows when it is full, and a crash at any write loses nothing", () => {
  // One cluster of the table counts 2 MiB: 64 blocks of 64 refcounts.
  const size = 4 << 20;
  const recording = new RecordingStore(storeOf({ ...plain, refcountOrder: 6, size: BigInt(size) }));
  const table = (): string => recording.read(48, 12).join();
  const first = table();
  const editor = editorOf(recording);
  const piece = patternBytes({ kind: "noise", seed: 9 }, 100_000);
  const old = new MemoryStore();
  for (let at = 0; table() === first; at += piece.length) {
    recording.steps.length = 0;
    old.write(0, recording.read(0, recording.size));
    editor.write(at, piece);
  }
  for (const crashed of crashes(old, recording.steps)) {
    const layer = opened(crashed);
    assertSound(layer);
    assertEquals(seen(layer, undefined, [0, 5000]), piece.subarray(0, 5000));
  }
  assertSound(editor.layer);
  assertEquals(editor.layer.check?.(new Findings())?.leaks, 0);
});

/** A store whose writes fail from one of them on, until it works again. */
class FailingStore extends MemoryStore {
  left = Infinity;

  override write(offset: number, bytes: Uint8Array): void {
    if (this.left-- <= 0) throw new Error("no space is left");
    super.write(offset, bytes);
  }
}

Deno.test("after a write that failed, the image has old or new bytes, and can be changed", () => {
  const model = { ...plain, clusters: shared, snapshots: [snapshot("1", { shared: [0, 1, 2] })] };
  const size = Number(model.size);
  const bytes = patternBytes({ kind: "noise", seed: 4 }, 3000);
  let failures = 0;
  for (let left = 0;; left++) {
    const store = new FailingStore(storeOf(model));
    const editor = qcow2Format.editor?.open(store, new Findings());
    assert(editor !== undefined, "the image can be written to");
    const old = seen(editor.layer, undefined, [0, size]);
    const next = old.slice();
    next.set(bytes, 100);
    store.left = left;
    let failed = false;
    try {
      editor.write(100, bytes);
    } catch {
      failed = true;
    }
    store.left = Infinity;
    const now = seen(opened(store), undefined, [0, size]);
    assert(now.every((byte, i) => byte === old[i] || byte === next[i]));
    assertSound(opened(store));
    editor.write(100, bytes);
    assertEquals(seen(editor.layer, undefined, [0, size]), next);
    assertSound(opened(store));
    if (!failed) break;
    failures++;
  }
  assert(failures > 5, `${failures} writes failed`);
});
