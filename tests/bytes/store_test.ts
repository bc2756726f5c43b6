import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { MemorySource, MemoryStore } from "../../src/bytes/mod.ts";

Deno.test("a store in memory reads like an array of bytes that is written, cut and extended", () => {
  const SPACE = 3 * 4096;
  const change = fc.oneof(
    fc.record({ at: fc.nat(SPACE), fill: fc.integer({ min: 1, max: 255 }), length: fc.nat(6000) }),
    fc.record({ size: fc.nat(SPACE) }),
  );
  fc.assert(fc.property(fc.nat(SPACE), fc.array(change, { maxLength: 8 }), (size, changes) => {
    const base = new Uint8Array(size).fill(7);
    const store = new MemoryStore(new MemorySource(base));
    let expected = base.slice();
    for (const step of changes) {
      if ("size" in step) {
        store.resize(step.size);
        const cut = new Uint8Array(step.size);
        cut.set(expected.subarray(0, step.size));
        expected = cut;
      } else {
        const bytes = new Uint8Array(step.length).fill(step.fill);
        store.write(step.at, bytes);
        const longer = new Uint8Array(Math.max(expected.length, step.at + step.length));
        longer.set(expected);
        longer.set(bytes, step.at);
        expected = longer;
      }
    }
    assertEquals(store.size, expected.length);
    assertEquals(store.read(0, expected.length + 100).subarray(0, expected.length), expected);
    assertEquals(base.every((byte) => byte === 7), true);
  }));
});
