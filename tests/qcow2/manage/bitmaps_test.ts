import { assert, assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import { EditError, type ImageEditor, type Layer } from "../../../src/format/mod.ts";
import { Qcow2Bitmaps } from "../../../src/qcow2/manage/bitmaps.ts";
import { WritableImage } from "../../../src/qcow2/write/image.ts";
import { Findings } from "../../../src/rules/mod.ts";
import { liveTest, QEMU } from "../../live.ts";
import { storeOf } from "../written.ts";
import { Managed, managedModels } from "./managed.ts";
import { assertClean, edit, tool } from "./qemu.ts";

type Kind = "write" | "zero" | "discard" | "resize" | "save";
type BitmapKind = "add" | "remove" | "enable" | "disable" | "clear" | "merge";

interface Step {
  readonly kind: Kind | BitmapKind;
  readonly place: number;
  readonly seed: number;
}

const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom(
      ...["write", "write", "zero", "discard", "resize", "save"] as const,
      ...["add", "add", "remove", "enable", "disable", "clear", "merge"] as const,
    ),
    place: fc.nat(50),
    seed: fc.nat(50),
  }),
  { minLength: 1, maxLength: 6 },
);

/** What a bitmap must be. */
interface Expected {
  readonly name: string;
  readonly granularity: number;
  readonly auto: boolean;
  readonly inUse: boolean;
  /** The numbers of the set bits, in order. */
  readonly bits: readonly number[];
}

function bitmapsOf(layer: Layer): Expected[] {
  return (layer.bitmaps ?? []).map(({ name, granularity, auto, inUse, ranges }) => ({
    name,
    granularity,
    auto,
    inUse,
    bits: inUse
      ? []
      : [...ranges()].flatMap(({ start, length }) =>
        Array.from({ length: Math.ceil(length / granularity) }, (_, i) => start / granularity + i)
      ),
  }));
}

function withBits(bitmap: Expected, more: readonly number[]): Expected {
  return { ...bitmap, bits: [...new Set([...bitmap.bits, ...more])].sort((a, b) => a - b) };
}

/** Sets the bits of a range. */
function marked(all: readonly Expected[], start: number, length: number): Expected[] {
  return all.map((bitmap) => {
    if (!bitmap.auto || bitmap.inUse || length === 0) return bitmap;
    const first = Math.floor(start / bitmap.granularity);
    const count = Math.ceil((start + length) / bitmap.granularity) - first;
    return withBits(bitmap, Array.from({ length: count }, (_, i) => first + i));
  });
}

/** Makes a step. Returns what the bitmaps must be after it. */
function after(editor: ImageEditor, all: Expected[], { kind, place, seed }: Step): Expected[] {
  const { virtualSize, clusterSize } = editor.layer;
  const start = Math.min(place * 700, virtualSize);
  const length = Math.min(seed * 300, virtualSize - start);
  const bitmap = all[place % all.length];
  const name = bitmap?.name ?? "none";
  const other = all[seed % all.length];
  const replaced = (change: Partial<Expected>) =>
    all.map((it) => it === bitmap ? { ...it, ...change } : it);
  switch (kind) {
    case "save":
      editor.close();
      return all;
    case "write":
      editor.write(start, new Uint8Array(length).fill(1));
      return marked(all, start, length);
    case "zero":
      editor.writeZeroes(start, length);
      return marked(all, start, length);
    case "discard":
      editor.discard(start, length);
      return marked(all, start, length);
    case "resize": {
      const size = Math.max(0, virtualSize + (place - 25) * clusterSize);
      editor.resize?.(size, { shrink: true });
      return all.map((it) => ({
        ...it,
        bits: it.bits.filter((bit) => bit < Math.ceil(size / it.granularity)),
      }));
    }
    case "add": {
      const granularity = 2 ** (9 + seed % 6);
      if (virtualSize / granularity > 2 ** 20) return all;
      const added = { name: `map ${seed}`, granularity, auto: place % 2 === 0 };
      editor.bitmaps?.add(added.name, { granularity, enabled: added.auto });
      return [...all, { ...added, inUse: false, bits: [] }];
    }
    case "remove":
      editor.bitmaps?.remove(name);
      return all.filter((it) => it !== bitmap);
    case "clear":
      editor.bitmaps?.clear(name);
      return replaced({ bits: [] });
    case "merge": {
      const ranges = (other?.bits ?? []).map((bit) => ({
        start: bit * (other?.granularity ?? 1),
        length: Math.min(other?.granularity ?? 1, virtualSize - bit * (other?.granularity ?? 1)),
      }));
      editor.bitmaps?.merge(name, ranges);
      const unit = bitmap?.granularity ?? 1;
      const bits = ranges.flatMap(({ start, length }) => {
        const first = Math.floor(start / unit);
        const count = Math.ceil((start + length) / unit) - first;
        return Array.from({ length: count }, (_, i) => first + i);
      });
      return all.map((it) => it === bitmap ? withBits(it, bits) : it);
    }
    default:
      editor.bitmaps?.[kind](name);
      return replaced({ auto: kind === "enable" });
  }
}

Deno.test("bitmaps follow writes and changes, and after a crash a bitmap is right or in use", () => {
  fc.assert(
    fc.property(managedModels, steps, (model, all) => {
      const managed = Managed.open(model);
      if (managed === undefined || managed.editor.layer.virtualSize > 2 ** 22) return fc.pre(false);
      let now = bitmapsOf(managed.editor.layer);
      for (const step of all) {
        const before = now;
        const first = managed.store.steps.length;
        try {
          now = after(managed.editor, before, step);
        } catch (error) {
          if (!(error instanceof EditError)) throw error;
        }
        assertEquals(bitmapsOf(managed.editor.layer), now, "bits that are not stored yet");
        if (model.dirty) continue;
        for (const store of managed.crashes(first)) {
          for (const bitmap of bitmapsOf(managed.check(store, { leaks: true }))) {
            if (bitmap.inUse) continue;
            const is = JSON.stringify(bitmap);
            const states = [...before, ...now].map((state) => JSON.stringify(state));
            assert(states.includes(is), `${step.kind}: ${is} is none of ${states}`);
          }
        }
      }
      managed.editor.close();
      assertEquals(bitmapsOf(managed.check()), now);
    }),
    { numRuns: 40 },
  );
});

liveTest({ needs: QEMU }, "qemu-img and diskproof make the same bitmaps", async (at) => {
  const ours = `${at}/ours.qcow2`;
  const theirs = `${at}/theirs.qcow2`;
  await tool("qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=4k", ours, "3000k");
  await tool("qemu-io", "-c", "write -P 1 0 100k", ours);
  await tool("qemu-img", "bitmap", "--add", "-g", "1k", ours, "before");
  await Deno.copyFile(ours, theirs);
  const qemu = (...args: string[]) => tool("qemu-img", "bitmap", ...args);
  const same = async (step: string): Promise<void> => {
    await assertClean(ours);
    const states = [ours, theirs].map((path) => edit(path, ({ layer }) => bitmapsOf(layer)));
    assertEquals(states[0], states[1], step);
  };
  await qemu("--add", theirs, "default");
  await qemu("--add", "--disable", "-g", "64k", theirs, "off");
  await tool(
    "qemu-io",
    "-c",
    "write 5k 700",
    "-c",
    "write -z 2M 8k",
    "-c",
    "discard 1M 4k",
    theirs,
  );
  edit(ours, (editor) => {
    editor.bitmaps?.add("default");
    editor.bitmaps?.add("off", { granularity: 65536, enabled: false });
    editor.write(5 * 1024, new Uint8Array(700));
    editor.writeZeroes(2 ** 21, 8192);
    editor.discard(2 ** 20, 4096);
  });
  await same("writes");
  await qemu("--merge", "before", theirs, "off");
  await tool("qemu-img", "resize", "-q", "--shrink", theirs, "2050k");
  await tool("qemu-img", "resize", "-q", theirs, "40M");
  edit(ours, (editor) => {
    const before = editor.layer.bitmaps?.find(({ name }) => name === "before");
    editor.bitmaps?.merge("off", before?.ranges() ?? []);
    editor.resize?.(2050 * 1024, { shrink: true });
    editor.resize?.(40 * 2 ** 20);
  });
  await same("merge and resize");
  await qemu("--disable", ours, "before");
  await qemu("--enable", ours, "off");
  await qemu("--clear", ours, "off");
  await qemu("--remove", ours, "default");
  edit(theirs, ({ bitmaps }) => {
    bitmaps?.disable("before");
    bitmaps?.enable("off");
    bitmaps?.clear("off");
    bitmaps?.remove("default");
  });
  await assertClean(theirs);
  await same("changes by the other");
});

Deno.test("a disabled bitmap gets no bits after a change of the size that failed", () => {
  const [model] = fc.sample(
    managedModels.filter((model) =>
      model.version === 3 && model.bitmaps.length === 0 && model.size > 4096n &&
      model.clusterBits === 12 && model.dataFile === undefined && !model.corrupt &&
      model.encryption === undefined && model.unknownExtensions.length === 0
    ),
    { numRuns: 1, seed: 1 },
  );
  assert(model !== undefined);
  const image = WritableImage.open(storeOf(model), new Findings());
  assert(image !== undefined);
  const bitmaps = new Qcow2Bitmaps(image);
  bitmaps.add("on", { granularity: 512 });
  bitmaps.add("off", { granularity: 512, enabled: false });
  const fails = () => {
    throw new EditError("no room");
  };
  assertThrows(() => bitmaps.resized(image.virtualSize + 512, fails), EditError, "no room");
  bitmaps.mark(512, 1024);
  bitmaps.save();
  image.reopen();
  const found = image.layer.bitmaps ?? [];
  assertEquals(found.map(({ name, inUse, ranges }) => ({ name, inUse, ranges: [...ranges()] })), [
    { name: "on", inUse: false, ranges: [{ start: 512, length: 1024 }] },
    { name: "off", inUse: false, ranges: [] },
  ]);
});
