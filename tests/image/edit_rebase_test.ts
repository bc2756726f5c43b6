import * as fc from "fast-check";
import { type ByteSource, MemorySource, MemoryStore } from "../../src/bytes/mod.ts";
import { createImage } from "../../src/image/create/mod.ts";
import { editFiles, keepContent } from "../../src/image/edit/mod.ts";
import { openBytes } from "../../src/image/mod.ts";
import { assertContent, changes, contentNow, editorOf, make } from "../editing.ts";

const SIZE = 16_384;

/** Zeros and numbers, in stretches that two of them may share. */
const bases = fc.array(
  fc.record({ length: fc.nat(3000), fill: fc.nat(2) }),
  { maxLength: 8 },
).map((parts) =>
  Uint8Array.from(parts.flatMap(({ length, fill }) => new Array(length).fill(fill)))
);

function overlay(): MemoryStore {
  const store = new MemoryStore();
  const parts = createImage({ format: "qcow", size: SIZE, backing: "base" });
  for (const { offset, bytes } of parts) store.write(offset, bytes);
  store.resize(store.size + 512);
  return store;
}

function open(top: MemoryStore, base: Uint8Array) {
  const files = new Map<string, ByteSource>([["top", top], ["base", new MemorySource(base)]]);
  return editFiles(files);
}

Deno.test("an image shows the same over another backing file, once what differs is copied", () => {
  fc.assert(
    fc.property(bases, fc.option(bases), changes(SIZE, 512), (old, other, list) => {
      const top = overlay();
      const image = open(top, old);
      for (const change of list) make(editorOf(image), change);
      const expected = contentNow(image).slice();
      const to = other === null ? undefined : openBytes(new MemorySource(other), "raw");
      for (const _ of keepContent(image, to));
      assertContent(contentNow(open(top, other ?? new Uint8Array(0))), expected);
    }),
    { numRuns: 40 },
  );
});

Deno.test("what two backing files share is not copied", () => {
  const top = overlay();
  const base = new Uint8Array(SIZE).fill(7);
  const image = open(top, base);
  const other = base.slice();
  other[5000] = 8;
  for (const _ of keepContent(image, openBytes(new MemorySource(other), "raw")));
  const stored = [...editorOf(image).layer.runs(0, SIZE)].filter(({ kind }) => kind === "data");
  assertContent(Uint8Array.from(stored.map(({ length }) => length / 512)), new Uint8Array([1]));
  assertContent(Uint8Array.from(stored.map(({ start }) => start / 512)), new Uint8Array([9]));
});
