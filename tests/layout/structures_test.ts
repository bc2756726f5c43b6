import { assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import {
  annotate,
  bitMask,
  blank,
  bytes,
  decode,
  encode,
  fieldOf,
  offsetOf,
  readField,
  type Struct,
  struct,
  u16,
  u32,
  u64,
  writeField,
} from "../../src/layout/mod.ts";
import { formats } from "../../src/formats.ts";

/** A structure whose integers have the other byte order than those of the formats. */
const little = struct("little", { section: "1", size: 17, byteOrder: "little" }, [
  u16("a", { doc: "A." }),
  u32("b", { doc: "B." }),
  u64("c", { doc: "C." }),
  bytes("d", 3, { doc: "D." }),
]);

const structures: readonly Struct[] = [...formats.flatMap(({ structures }) => structures), little];

Deno.test("encode(decode(b)) equals b for every structure and any bytes", () => {
  for (const description of structures) {
    const bytes = fc.uint8Array({ minLength: description.size, maxLength: description.size });
    fc.assert(fc.property(bytes, (stored) => {
      assertEquals(encode(description, decode(description, stored)), stored);
    }));
  }
});

Deno.test("decode() treats missing bytes as zeros, at every length of every structure", () => {
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

Deno.test("the bits of a field do not overlap and are inside the field", () => {
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

Deno.test("struct() rejects widths that do not add up and a repeated name", () => {
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

Deno.test("the byte order of integers is that of their structure", () => {
  const stored = Uint8Array.fromHex("0102" + "01020304" + "0102030405060708" + "010203");
  const value = {
    a: 0x0201,
    b: 0x04030201,
    c: 0x0807060504030201n,
    d: Uint8Array.of(1, 2, 3),
  };
  assertEquals(decode(little, stored), value);
  assertEquals(encode(little, value), stored);
  const rows = annotate(little, stored, { offset: 0, path: "" }).map((row) => row.value);
  assertEquals(rows.slice(0, 2), ["513", "67305985 (0x4030201)"]);
  const field = fieldOf(little, "b");
  assertEquals(readField(field, stored, offsetOf(little, "b")), 0x04030201n);
  const target = new Uint8Array(4);
  writeField(field, 0x1_0403_0201n, { target, at: 0 });
  assertEquals(target, Uint8Array.of(1, 2, 3, 4));
  const big = decode(struct("big", { section: "1", size: 2 }, [u16("a", { doc: "A." })]), stored);
  assertEquals(big.a, 0x0102);
});
