import { assertEquals } from "@std/assert";
import { patternBytes } from "../../src/format/mod.ts";
import { decode, encode } from "../../src/layout/mod.ts";
import {
  compressedEntry,
  compressedExtent,
  entryOf,
  header,
  qcow1Structures,
} from "../../src/qcow1/mod.ts";

for (const struct of qcow1Structures) {
  Deno.test(`encode() reverses decode() for ${struct.name}`, () => {
    for (let seed = 0; seed < 20; seed++) {
      const bytes = patternBytes({ kind: "noise", seed }, struct.size);
      assertEquals(encode(struct, decode(struct, bytes)), bytes);
    }
  });
}

Deno.test("decode() reads a header that qemu-img 7.2 wrote", () => {
  // qemu-img create -f qcow -b base.raw -F raw image 1M
  const stored = "514649fb0000000100000000000000300000000800000000000000000010" +
    "0000090c0000000000000000000000000038";
  assertEquals(decode(header, Uint8Array.fromHex(stored)), {
    magic: 0x514649fb,
    version: 1,
    backing_file_offset: 48n,
    backing_file_size: 8,
    mtime: 0,
    size: 2n ** 20n,
    cluster_bits: 9,
    l2_bits: 12,
    padding: 0,
    crypt_method: 0,
    l1_table_offset: 56n,
  });
});

Deno.test("compressedExtent() splits an entry that qemu-img 7.2 wrote", () => {
  // 4 KiB of 0x55, converted with -c: a file of 0x2000 + 22 bytes.
  const entry = 0x80b0000000002000n;
  assertEquals(compressedExtent(entryOf(entry), 12), { offset: 0x2000, length: 22 });
  assertEquals(compressedEntry({ offset: 0x2000, length: 22 }, 12), entry);
});

for (let clusterBits = 9; clusterBits <= 16; clusterBits++) {
  Deno.test(`compressedEntry() keeps the largest extent at cluster_bits ${clusterBits}`, () => {
    const length = 2 ** clusterBits - 1;
    // A number holds 53 bits of offset; the entry has 63 - cluster_bits of them.
    for (const offset of [0, 1, 2 ** Math.min(53, 63 - clusterBits) - 1]) {
      const entry = compressedEntry({ offset, length }, clusterBits);
      assertEquals(compressedExtent(entryOf(entry), clusterBits), { offset, length });
    }
    const all = compressedExtent(entryOf(2n ** 64n - 1n), clusterBits);
    assertEquals(all, { offset: Number(2n ** BigInt(63 - clusterBits) - 1n), length });
  });
}
