import { assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import {
  annotate,
  bitMask,
  blank,
  decode,
  encode,
  offsetOf,
  type Struct,
  struct,
  u16,
  u32,
  u64,
} from "../../src/layout/mod.ts";
import { luks1Structures } from "../../src/luks1/mod.ts";
import { luks2Structures } from "../../src/luks2/mod.ts";
import { qcow1Structures } from "../../src/qcow1/mod.ts";
import { qcow2Structures } from "../../src/qcow2/mod.ts";

const structures: readonly Struct[] = [
  ...qcow1Structures,
  ...qcow2Structures,
  ...luks1Structures,
  ...luks2Structures,
];

Deno.test("encode(decode(b)) equals b for every structure and any bytes", () => {
  for (const description of structures) {
    const bytes = fc.uint8Array({ minLength: description.size, maxLength: description.size });
    fc.assert(fc.property(bytes, (stored) => {
      assertEquals(encode(description, decode(description, stored)), stored);
    }));
  }
});

Deno.test("decode() takes missing bytes for zeros, at every length of every structure", () => {
  for (const description of structures) {
    for (let length = 0; length < description.size; length++) {
      const stored = new Uint8Array(length).fill(0xa5);
      const padded = new Uint8Array(description.size);
      padded.set(stored);
      assertEquals(decode(description, stored), decode(description, padded));
    }
  }
});

Deno.test("the rows of a dump cover every byte of every structure once", () => {
  for (const description of structures) {
    const rows = annotate(description, new Uint8Array(description.size), {
      offset: 64,
      path: "/x",
    });
    let next = 64;
    for (const row of rows) {
      assertEquals(row.offset, next);
      next += row.bytes.length;
    }
    assertEquals(next, 64 + description.size);
  }
});

Deno.test("every structure names its section and every field says what it is", () => {
  for (const { name, section, fields } of structures) {
    assertEquals(section.length > 0, true, name);
    for (const field of fields) assertEquals(field.doc.length > 0, true, `${name}.${field.name}`);
  }
});

Deno.test("the bits of a field do not overlap and lie inside the field", () => {
  for (const { name, fields } of structures) {
    for (const field of fields) {
      let seen = 0n;
      for (const { from, to } of field.bits ?? []) {
        const mask = ((1n << BigInt(to - from + 1)) - 1n) << BigInt(from);
        assertEquals(seen & mask, 0n, `${name}.${field.name}`);
        assertEquals(to < 8 * field.width, true, `${name}.${field.name}`);
        seen |= mask;
      }
    }
  }
});

Deno.test("struct() refuses widths that do not add up and a name that stands twice", () => {
  const fields = [u32("a", { doc: "A." }), u16("b", { doc: "B." })] as const;
  assertEquals(offsetOf(struct("good", { section: "1", size: 6 }, fields), "b"), 4);
  assertThrows(() => struct("bad", { section: "1", size: 7 }, fields), TypeError, "6 bytes, not 7");
  const twice = [u16("a", { doc: "A." }), u16("a", { doc: "A." })] as const;
  assertThrows(() => struct("bad", { section: "1", size: 4 }, twice), TypeError, "a twice");
});

Deno.test("bitMask() gives both halves of a mask", () => {
  const word = struct("word", { section: "1", size: 8 }, [
    u64("w", { doc: "W.", bits: [{ name: "middle", from: 30, to: 33, doc: "M." }] }),
  ]);
  const { mask, high, low, from } = bitMask(word, "w", "middle");
  assertEquals({ mask, high, low, from }, {
    mask: 0x3c0000000n,
    high: 3,
    low: 0xc0000000,
    from: 30,
  });
  assertEquals(blank(word), { w: 0n });
});
