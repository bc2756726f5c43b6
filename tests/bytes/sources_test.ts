import { assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import { Buffer } from "node:buffer";
import {
  type ByteSource,
  FileSource,
  MemorySource,
  PatchedSource,
  readUpTo,
  SegmentSource,
  SourceError,
} from "../../src/bytes/mod.ts";

/** What a source has to give: the plain bytes, zeros past their end. */
function expected(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  const target = new Uint8Array(length);
  target.set(bytes.subarray(Math.min(offset, bytes.length), offset + length));
  return target;
}

/** Compares every way of reading a source with the plain bytes. */
function assertReads(source: ByteSource, bytes: Uint8Array): void {
  assertEquals(source.size, bytes.length);
  const at = fc.nat({ max: bytes.length + 40 });
  fc.assert(
    fc.property(at, fc.nat({ max: bytes.length + 40 }), (offset, length) => {
      const wanted = expected(bytes, offset, length);
      assertEquals(source.read(offset, length).slice(), wanted);
      const target = new Uint8Array(length).fill(0xee);
      source.readInto(offset, target);
      assertEquals(target, wanted);
      assertEquals(
        readUpTo(source, offset, length).length,
        Math.max(0, Math.min(length, bytes.length - offset)),
      );
    }),
    { numRuns: 60 },
  );
}

const ramp = Uint8Array.from({ length: 100 }, (_, i) => i + 1);

Deno.test("what was read of a Buffer of Node.js can be copied with slice()", () => {
  const source = new MemorySource(Buffer.from([1, 2, 3]));
  source.read(0, 3).slice().fill(0);
  assertEquals([...source.read(0, 3)], [1, 2, 3]);
});

Deno.test("MemorySource reads any range, zeros past the end", () => {
  assertReads(new MemorySource(ramp), ramp);
  assertReads(new MemorySource(new Uint8Array()), new Uint8Array());
});

Deno.test("FileSource reads any range, zeros past the end, and nothing once it is closed", () => {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeFileSync(path, ramp);
    const source = new FileSource(path);
    assertReads(source, ramp);
    source.close();
    assertThrows(() => source.read(0, 1), TypeError, "closed");
  } finally {
    Deno.removeSync(path);
  }
});

Deno.test("FileSource rejects what is not a regular file", () => {
  assertThrows(() => new FileSource("."), TypeError, "not a regular file");
});

Deno.test("SegmentSource has zeros between its segments", () => {
  const bytes = new Uint8Array(100);
  bytes.set(ramp.subarray(0, 10), 5);
  bytes.set(ramp.subarray(0, 7), 15);
  bytes.set(ramp.subarray(0, 20), 70);
  const segments = [
    { offset: 70, bytes: ramp.subarray(0, 20) },
    { offset: 5, bytes: ramp.subarray(0, 10) },
    { offset: 15, bytes: ramp.subarray(0, 7) },
  ];
  assertReads(new SegmentSource(segments, 100), bytes);
  assertReads(new SegmentSource([], 9), new Uint8Array(9));
});

Deno.test("PatchedSource: a later patch wins, and the size may differ", () => {
  const patches = [
    { offset: 10, bytes: new Uint8Array(20).fill(0xaa) },
    { offset: 25, bytes: new Uint8Array(10).fill(0xbb) },
    { offset: 110, bytes: new Uint8Array(4).fill(0xcc) },
  ];
  for (const size of [60, 100, 120]) {
    const bytes = new Uint8Array(size);
    bytes.set(ramp.subarray(0, size));
    for (const patch of patches) {
      if (patch.offset < size) {
        bytes.set(patch.bytes.subarray(0, size - patch.offset), patch.offset);
      }
    }
    assertReads(new PatchedSource(new MemorySource(ramp), patches, size), bytes);
  }
});

Deno.test("FileSource does not invent bytes that a file has lost since it was opened", () => {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeFileSync(path, ramp);
    const source = new FileSource(path);
    Deno.truncateSync(path, 60);
    assertEquals(source.read(0, 60).slice(), ramp.subarray(0, 60));
    assertThrows(() => source.read(0, 61), SourceError, "it has become shorter");
    assertThrows(() => source.read(99, 10), SourceError, "it has become shorter");
    // What it never had is zeros, as ever.
    assertEquals(source.read(100, 2), new Uint8Array(2));
    source.close();
  } finally {
    Deno.removeSync(path);
  }
});
