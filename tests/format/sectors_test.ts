import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { readSectors, writeSectors } from "../../src/format/mod.ts";

/** An "encryption" in which each byte of a sector depends on all others before it. */
function access(disk: Uint8Array, sectorSize: number) {
  const chained = (sectors: Uint8Array, from: number, sign: 1 | -1): void => {
    for (let start = 0; start < sectors.length; start += sectorSize) {
      let last = (from + start) / sectorSize;
      for (let at = start; at < start + sectorSize; at++) {
        const stored = (sectors[at] ?? 0) + sign * last;
        last = sign === 1 ? stored & 255 : sectors[at] ?? 0;
        sectors[at] = stored;
      }
    }
  };
  return {
    sectorSize,
    read: (sectors: Uint8Array, from: number) =>
      sectors.set(disk.subarray(from, from + sectors.length)),
    write: (sectors: Uint8Array, from: number) => disk.set(sectors, from),
    encrypt: (sectors: Uint8Array, from: number) => chained(sectors, from, 1),
    decrypt: (sectors: Uint8Array, from: number) => chained(sectors, from, -1),
  };
}

Deno.test("bytes that are written in encrypted sectors leave the others as they are", () => {
  const SECTORS = 5;
  fc.assert(fc.property(
    fc.constantFrom(512, 1024, 4096).chain((size) => {
      const boundary = fc.nat(SECTORS).map((sector) => sector * size);
      const position = fc.oneof(boundary, fc.nat(SECTORS * size), fc.nat(size));
      return fc.tuple(fc.constant(size), position, position);
    }),
    ([size, one, other]) => {
      const disk = new Uint8Array(SECTORS * size);
      const expected = Uint8Array.from(disk, (_, index) => index * 7 >> 3);
      writeSectors(expected, 0, access(disk, size));
      const [from, to] = [Math.min(one, other), Math.max(one, other)];
      expected.fill(99, from, to);
      writeSectors(expected.slice(from, to), from, access(disk, size));
      const content = new Uint8Array(disk.length);
      readSectors(content, 0, access(disk, size));
      assertEquals(content.findIndex((byte, index) => byte !== expected[index]), -1);
    },
  ));
});
