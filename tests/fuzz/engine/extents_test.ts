import * as fc from "fast-check";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { MemorySource, SegmentSource } from "../../../src/bytes/mod.ts";
import { fingerprint, type SparseFile, sparseFile } from "../../../fuzz/engine/extents.ts";

/** The file again, from its extents. */
function wholeFile({ size, extents }: SparseFile): Uint8Array {
  const bytes = new Uint8Array(size);
  for (const extent of extents) bytes.set(extent.bytes, extent.offset);
  return bytes;
}

/** A few runs of bytes at increasing places. */
const segments = fc.array(
  fc.record({
    gap: fc.nat(3_000_000),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 100 }),
  }),
  { maxLength: 5 },
).map((parts) => {
  let at = 0;
  return parts.map(({ gap, bytes }) => {
    const offset = at + gap;
    at = offset + bytes.length;
    return { offset, bytes };
  });
});

Deno.test("sparseFile() keeps every byte, whether or not the source knows its holes", () => {
  fc.assert(
    fc.property(segments, fc.nat(5000), (parts, tail) => {
      const last = parts.at(-1);
      const size = (last === undefined ? 0 : last.offset + last.bytes.length) + tail;
      const source = new SegmentSource(parts, size);
      const bytes = source.read(0, size);
      const known = sparseFile(source);
      const searched = sparseFile(new MemorySource(bytes));
      assertEquals(wholeFile(known), bytes);
      assertEquals(wholeFile(searched), bytes);
      assertEquals(fingerprint(known), fingerprint(searched));
      assert(!known.cut && !searched.cut);
    }),
    { numRuns: 40, seed: 5 },
  );
});

Deno.test("sparseFile() keeps a sector at the end of a petabyte", () => {
  const offset = 2 ** 50 - 512;
  const file = sparseFile(
    new SegmentSource([{ offset, bytes: new Uint8Array(512).fill(7) }], 2 ** 50),
  );
  assertEquals(file.extents.length, 1);
  assertEquals(file.extents[0]?.offset, 2 ** 50 - 4096);
  assertEquals(file.extents[0]?.bytes.subarray(-512), new Uint8Array(512).fill(7));
});

Deno.test("sparseFile() leaves out zeros", () => {
  assertEquals(sparseFile(new MemorySource(new Uint8Array(3 * 2 ** 20))).extents, []);
});

Deno.test("sparseFile() cuts a file of more bytes than are worth keeping", () => {
  const window = new Uint8Array(2 ** 20).fill(1);
  const size = 257 * 2 ** 20;
  const endless = {
    size,
    read: (_: number, length: number) => window.subarray(0, length),
    readInto: () => {},
  };
  const file = sparseFile(endless);
  assert(file.cut);
  assertEquals(file.extents.length, 256);
});

Deno.test("fingerprint() distinguishes files that differ in one byte, or in their size", () => {
  const prints = [
    [0, 0, 1],
    [0, 0, 2],
    [0, 0, 1, 0],
  ].map((bytes) => fingerprint(sparseFile(new MemorySource(new Uint8Array(bytes)))));
  assertEquals(new Set(prints).size, 3);
  assertNotEquals(prints[0], prints[2]);
});
