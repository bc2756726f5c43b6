import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { flatDisk } from "../../../fuzz/generate/mod.ts";
import { Disk } from "../../../fuzz/stateful/mod.ts";
import { patternBytes } from "../../../src/format/mod.ts";

const SIZE = 64;

const changes = fc.array(
  fc.record({
    kind: fc.constantFrom("write", "zero", "resize"),
    start: fc.nat(SIZE),
    length: fc.nat(SIZE),
    seed: fc.integer({ min: 1, max: 255 }),
  }),
  { maxLength: 12 },
);

/** The same change of plain bytes. */
function changed(bytes: Uint8Array, { kind, start, length, seed }: Change): Uint8Array {
  if (kind === "resize") {
    const other = new Uint8Array(length);
    other.set(bytes.subarray(0, length));
    return other;
  }
  const end = Math.min(bytes.length, start + length);
  const copy = bytes.slice();
  if (start >= end) return copy;
  if (kind === "zero") return copy.fill(0, start, end);
  copy.set(patternBytes({ kind: "ramp", seed }, end - start), start);
  return copy;
}

interface Change {
  readonly kind: string;
  readonly start: number;
  readonly length: number;
  readonly seed: number;
}

Deno.test("a disk reads like an array with the same changes, and its older forms stay", () => {
  fc.assert(fc.property(changes, (list) => {
    let bytes = patternBytes({ kind: "text", seed: 1 }, SIZE);
    let disk = Disk.of(flatDisk(bytes));
    const older: [Disk, Uint8Array][] = [];
    for (const change of list) {
      older.push([disk, bytes]);
      const end = Math.min(disk.size, change.start + change.length);
      if (change.kind === "resize") disk = disk.resized(change.length);
      else if (change.kind === "zero") disk = disk.zero({ start: change.start, end });
      else disk = disk.write({ start: change.start, end }, { kind: "ramp", seed: change.seed });
      bytes = changed(bytes, change);
    }
    for (const [kept, content] of [...older, [disk, bytes] as const]) {
      assertEquals(kept.size, content.length);
      assertEquals(kept.read(0, content.length), content);
      assertEquals(kept.read(7, 9), withZeros(content, 7, 9));
      const outside = content.slice();
      for (const { start, end } of kept.ranges()) outside.fill(0, start, end);
      assertEquals(outside.every((byte) => byte === 0), true);
    }
  }));
});

function withZeros(bytes: Uint8Array, start: number, length: number): Uint8Array {
  const part = new Uint8Array(length);
  part.set(bytes.subarray(start, start + length));
  return part;
}
