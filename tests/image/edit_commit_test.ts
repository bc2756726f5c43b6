import { assert, assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import {
  type ByteSource,
  MemorySource,
  MemoryStore,
  SegmentSource,
  utf8,
} from "../../src/bytes/mod.ts";
import { AccessError, EditError, seededBytes } from "../../src/format/mod.ts";
import { createImage, type Creation } from "../../src/image/create/mod.ts";
import { commitInto, editFiles, OverlayError } from "../../src/image/edit/mod.ts";
import { buildQcow2, plainQcow2 } from "../../src/qcow2/build/mod.ts";
import { luks1Format } from "../../src/luks1/mod.ts";
import { luks1Models } from "../../fuzz/formats/luks1/models.ts";
import { liveTest, QEMU } from "../live.ts";
import {
  assertContent,
  bytesOf,
  type Change,
  changes,
  contentNow,
  editorOf,
  make,
} from "../editing.ts";
import { run, succeed, writeImage } from "../qcow1/live.ts";

function stored(creation: Creation): MemoryStore {
  const store = new MemoryStore();
  const parts = createImage(creation);
  for (let next = parts.next();; next = parts.next()) {
    if (next.done === true) {
      store.resize(next.value.image);
      return store;
    }
    store.write(next.value.offset, next.value.bytes);
  }
}

/** Commits an image, and returns its content. */
function committed(image: ReturnType<typeof editFiles>): Uint8Array {
  const base = image.editBacking?.();
  if (base === undefined) throw new TypeError("Cannot find the backing file");
  for (const _ of commitInto(editorOf(base), editorOf(image)));
  base.finish();
  image.finish();
  return contentNow(base);
}

const SIZE = 24_576;

function overlay(
  list: readonly Change[],
): { readonly store: MemoryStore; readonly base: Uint8Array } {
  const base = seededBytes(5)(SIZE - 5000);
  const store = stored({ format: "qcow", size: SIZE, backing: "base" });
  const files = new Map<string, MemoryStore>([
    ["top", store],
    ["base", new MemoryStore(new MemorySource(base))],
  ]);
  const image = editFiles(files);
  for (const change of list) make(editorOf(image), change);
  return { store, base };
}

Deno.test("a commit changes the backing file to what the image shows, and empties the image", () => {
  fc.assert(
    fc.property(changes(SIZE, 512), (list) => {
      const { store, base } = overlay(list);
      const files = new Map([["top", store], ["base", new MemoryStore(new MemorySource(base))]]);
      const image = editFiles(files);
      const expected = new Uint8Array(SIZE);
      expected.set(base);
      for (const change of list) expected.set(bytesOf(change), change.offset);
      assertContent(contentNow(image), expected);
      assertContent(committed(image), expected);
      const after = editFiles(files);
      assertContent(contentNow(after), expected);
      assertEquals([...editorOf(after).layer.runs(0, SIZE)].map(({ kind }) => kind), [
        "unallocated",
      ]);
    }),
    { numRuns: 15 },
  );
});

Deno.test("an encrypted backing file grows with zeros, as its overlay shows it", () => {
  const model = luks1Models({ sizeMax: 4096, passphrases: ["secret"] });
  fc.assert(
    fc.property(
      model.filter(({ detached, tail, size }) => !detached && tail + size > 0),
      (base) => {
        const { image } = luks1Format.writer.build(base);
        const store = stored({ format: "qcow", size: 8192, backing: "base" });
        const files = new Map([
          ["top", store],
          ["base", new MemoryStore(new SegmentSource(image.segments, image.size))],
        ]);
        const opened = editFiles(files, undefined, { passphrases: [utf8("secret")] });
        const expected = contentNow(opened);
        assertContent(committed(opened), expected);
      },
    ),
    { numRuns: 2 },
  );
});

Deno.test("nothing is committed to a backing file that cannot grow or be changed", () => {
  const small = stored({ format: "qcow", size: 512 });
  const store = stored({ format: "qcow", size: SIZE, backing: "base" });
  const image = editFiles(new Map([["top", store], ["base", small]]));
  editorOf(image).write(0, new Uint8Array([1]));
  assertThrows(() => committed(image), EditError, "its size is fixed");
  const base = new MemorySource(new Uint8Array(9));
  const read = editFiles(new Map<string, ByteSource>([["top", store], ["base", base]]));
  assertThrows(() => read.editBacking?.(), EditError, "only read");
  assertEquals(contentNow(image)[0], 1);
});

liveTest({ needs: QEMU }, "a commit does what qemu-img commit does", async (directory) => {
  await fc.assert(
    fc.asyncProperty(changes(SIZE, 512), async (list) => {
      const { store, base } = overlay(list);
      await writeImage(`${directory}/top`, store);
      await Deno.writeFile(`${directory}/base`, base);
      const image = editFiles(
        new Map([["top", store], ["base", new MemoryStore(new MemorySource(base))]]),
      );
      const ours = committed(image);
      const options = `driver=qcow,file.filename=${directory}/top,backing.driver=raw,` +
        `backing.file.filename=${directory}/base`;
      assertEquals((await run(["qemu-img", "commit", "-q", "--image-opts", options])).code, 0);
      assertContent(await Deno.readFile(`${directory}/base`), ours);
      await succeed(["qemu-img", "info", `${directory}/top`]);
    }),
    { numRuns: 6 },
  );
});

Deno.test("an error about the overlay of a commit is not one about its backing file", () => {
  const clusters = [{
    index: 0,
    kind: "compressed",
    level: 6,
    gap: 0,
    pattern: { kind: "text", seed: 1 },
  }] as const;
  const model = { ...plainQcow2, size: 1024n, backing: { name: "base" }, clusters };
  const { image: { segments, size } } = buildQcow2(model);
  const top = new MemoryStore(new SegmentSource(segments, size));
  const at = segments.at(-1)?.offset ?? 0;
  // The stream of the compressed cluster starts at the end of the file.
  top.write(at, new Uint8Array(size - at).fill(0xff));
  const base = new MemoryStore(new MemorySource(new Uint8Array(1024)));
  const image = editFiles(new Map([["top", top], ["base", base]]), "qcow2");
  const { cause } = assertThrows(() => committed(image), OverlayError);
  assert(cause instanceof AccessError);
  assertEquals(cause.broken.rule, "qcow2.comp.inflate");
});
