import { assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import { MemorySource, MemoryStore } from "../../src/bytes/mod.ts";
import { EditError } from "../../src/format/mod.ts";
import { editFiles } from "../../src/image/edit/mod.ts";
import { assertContent, bytesOf, changes, contentNow, editorOf, make } from "../editing.ts";

const SIZE = 5000;
/** The size of the disk: whole sectors. */
const DISK = 5120;

function edited(bytes = new Uint8Array(SIZE)) {
  const store = new MemoryStore(new MemorySource(bytes));
  return { store, image: editFiles(new Map([["disk", store]]), "raw") };
}

Deno.test("a raw image that is written to reads like an array of bytes", () => {
  fc.assert(
    fc.property(changes(DISK, 512), (list) => {
      const { image } = edited();
      const expected = new Uint8Array(DISK);
      for (const change of list) {
        make(editorOf(image), change);
        expected.set(bytesOf(change), change.offset);
        assertContent(contentNow(image), expected);
      }
    }),
    { numRuns: 50 },
  );
});

Deno.test("a raw image grows to whole sectors, and shrinks only where that is allowed", () => {
  const { store, image } = edited(new Uint8Array(SIZE).fill(1));
  const { resize } = editorOf(image);
  const to = resize?.bind(image.editor);
  to?.(6000);
  assertEquals(store.size, 6144);
  assertEquals(contentNow(image).subarray(SIZE), new Uint8Array(6144 - SIZE));
  assertThrows(() => to?.(1024), EditError, "content past the new end");
  assertEquals(store.size, 6144);
  to?.(1024, { shrink: true });
  assertEquals(contentNow(image), new Uint8Array(1024).fill(1));
});

Deno.test("a range past the end of the disk is rejected, and nothing is written", () => {
  const { store, image } = edited();
  const editor = editorOf(image);
  editor.write(DISK - 1, new Uint8Array([1]));
  for (const offset of [DISK, DISK - 1, -1, 2 ** 53]) {
    assertThrows(() => editor.write(offset, new Uint8Array(2).fill(9)), EditError, "5120 bytes");
    assertThrows(() => editor.writeZeroes(offset, 2), EditError, "5120 bytes");
  }
  assertEquals(store.read(0, DISK).findLastIndex((byte) => byte !== 0), DISK - 1);
  assertEquals(store.read(DISK - 1, 1), new Uint8Array([1]));
});

Deno.test("a raw image that was probed does not become an image of another format", () => {
  const magic = new Uint8Array([0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3]);
  const probed = (format?: string) => {
    const store = new MemoryStore(new MemorySource(new Uint8Array(4096)));
    return { store, editor: editorOf(editFiles(new Map([["disk", store]]), format)) };
  };
  const { store, editor } = probed();
  editor.write(0, magic.subarray(0, 7));
  assertThrows(
    () => editor.write(7, magic.subarray(7)),
    EditError,
    "would look like a qcow2 image",
  );
  assertEquals(store.read(7, 1), new Uint8Array(1));
  editor.write(512, magic);
  const named = probed("raw");
  named.editor.write(0, magic);
  assertEquals(named.store.read(0, 8), magic);
});
