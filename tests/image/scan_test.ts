import { assert, assertEquals } from "@std/assert";
import { MemorySource } from "../../src/bytes/mod.ts";
import { patternBytes } from "../../src/format/mod.ts";
import { hintsOf, scanFile } from "../../src/image/mod.ts";
import { CountingSource } from "../counting_source.ts";

const MIB = 2 ** 20;

/** A file of table entries. */
function entries(length: number, entryAt: (index: number) => bigint): Uint8Array {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < length; at += 8) view.setBigUint64(at, entryAt(at / 8));
  return bytes;
}

/** Refcounts of 1, with refcount tables among them that lead everywhere. */
function manyTables(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 1; at < length; at += 2) bytes[at] = 1;
  const step = 2 ** 16;
  for (let at = step; at < length; at += 2 * step) {
    bytes.set(entries(512, (index) => BigInt((at + step * (index + 1)) % length)), at);
  }
  return bytes;
}

const HOSTILE: Readonly<Record<string, Uint8Array>> = {
  "one offset": entries(16 * MIB, () => 0x10000n),
  "all offsets": entries(16 * MIB, (index) => BigInt(index * 512 % (16 * MIB))),
  "all offsets, copied": entries(
    16 * MIB,
    (index) => BigInt(index * 65536 % (16 * MIB)) | 1n << 63n,
  ),
  "refcounts of one": new Uint8Array(16 * MIB).fill(1),
  "tables of refcounts": manyTables(16 * MIB),
};

/** How often the bytes of a file may be read: once for all, and again for its candidates. */
const TIMES = 400;

for (const [name, bytes] of Object.entries(HOSTILE)) {
  Deno.test(`a scan of a hostile file of ${name} ends, and reads a bounded number of bytes`, () => {
    const source = new CountingSource(new MemorySource(bytes));
    scanFile(source);
    assert(source.bytes < TIMES * bytes.length, `${source.bytes / bytes.length} times the file`);
  });
}

Deno.test("a scan finds nothing in noise, zeros and text, and neither does a hint", () => {
  const files = [
    patternBytes({ kind: "noise", seed: 3 }, 4 * MIB),
    new Uint8Array(4 * MIB),
    new TextEncoder().encode("a line of text, and another one\n".repeat(10_000)),
    new Uint8Array(0),
    new Uint8Array(100),
  ];
  for (const bytes of files) {
    const source = new MemorySource(bytes);
    assertEquals([...scanFile(source), ...hintsOf(source)], []);
  }
});
