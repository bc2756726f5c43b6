import { assert, assertEquals } from "@std/assert";
import type { BuiltImage } from "../../../src/format/mod.ts";
import { fieldOf, struct, u32, u64 } from "../../../src/layout/mod.ts";
import { header } from "../../../src/qcow2/structures.ts";
import {
  applyEdits,
  describeEdit,
  type Edit,
  interestingValues,
  Places,
  resolveDraws,
} from "../../../fuzz/mutate/mod.ts";

const pair = struct("test.pair", { section: "1", size: 12 }, [
  u32("first", { doc: "First." }),
  u64("second", { doc: "Second." }),
]);

/** Two pairs in a table behind a single one, and eight bytes of data. */
const image: BuiltImage = {
  segments: [{ offset: 0, bytes: Uint8Array.from({ length: 44 }, (_, i) => i) }],
  size: 48,
  placed: [
    { path: "/one", offset: 0, length: 12, struct: pair, role: "header" },
    { path: "/many", offset: 12, length: 24, struct: pair, count: 2, role: "table" },
    { path: "/data", offset: 36, length: 8, role: "data" },
  ],
};

function bytesAfter(...edits: Edit[]): number[] {
  const source = applyEdits(image, edits);
  return [...source.read(0, source.size)];
}

const untouched = bytesAfter();

/** The untouched bytes with some of them replaced. */
function withBytes(offset: number, ...bytes: number[]): number[] {
  return untouched.map((byte, i) => bytes[i - offset] ?? byte);
}

Deno.test("an edit of a field writes its bytes and nothing else", () => {
  assertEquals(
    bytesAfter({ op: "set", path: "/one/first", value: 0x01020304n }),
    withBytes(0, 1, 2, 3, 4),
  );
  const wide: Edit = { op: "set", path: "/many/1/first", value: (1n << 40n) + 5n };
  assertEquals(bytesAfter(wide), withBytes(24, 0, 0, 0, 5));
  assertEquals(bytesAfter({ op: "flip", path: "/one/first", bit: 31 }), withBytes(0, 0x80));
});

Deno.test("a field is given another one's value, cut to its own width", () => {
  const copy: Edit = { op: "copy", path: "/one/first", from: "/many/0/second" };
  assertEquals(bytesAfter(copy), withBytes(0, 20, 21, 22, 23));
});

Deno.test("an edit points a field at a place", () => {
  const point: Edit = { op: "point", path: "/one/first", at: "/data", delta: -1 };
  assertEquals(bytesAfter(point), withBytes(0, 0, 0, 0, 35));
});

Deno.test("places are swapped, duplicated and dropped, as far as the shorter one goes", () => {
  assertEquals(bytesAfter({ op: "drop", path: "/data" }), withBytes(36, 0, 0, 0, 0, 0, 0, 0, 0));
  const duplicate: Edit = { op: "duplicate", path: "/data", from: "/one" };
  assertEquals(bytesAfter(duplicate), withBytes(36, 0, 1, 2, 3, 4, 5, 6, 7));
  const swap: Edit = { op: "swap", path: "/many/0", with: "/many/1" };
  const swapped = bytesAfter(swap);
  assertEquals(swapped.slice(12, 24), untouched.slice(24, 36));
  assertEquals(swapped.slice(24, 36), untouched.slice(12, 24));
});

Deno.test("edits apply in order, each to the result of the previous one", () => {
  const edits: Edit[] = [
    { op: "set", path: "/one/first", value: 7n },
    { op: "copy", path: "/many/0/first", from: "/one/first" },
    { op: "xor", offset: 3, bits: 0xff },
  ];
  const edited = bytesAfter(...edits);
  assertEquals(edited.slice(0, 4), [0, 0, 0, 0xf8]);
  assertEquals(edited.slice(12, 16), [0, 0, 0, 7]);
});

Deno.test("the file is cut, made longer, and bytes are taken out and put in", () => {
  assertEquals(bytesAfter({ op: "resize", size: 5 }), [0, 1, 2, 3, 4]);
  assertEquals(bytesAfter({ op: "resize", size: 50 }), [...untouched, 0, 0]);
  const pattern = { kind: "fill", seed: 9 } as const;
  const splice: Edit = { op: "splice", offset: 2, remove: 3, insert: 2, pattern };
  assertEquals(bytesAfter(splice), [0, 1, 9, 9, ...untouched.slice(5)]);
});

Deno.test("an edit of a place that does not exist does nothing", () => {
  for (const path of ["/none/first", "/many/2/first", "/one/third", "/data/first", "/many/first"]) {
    assertEquals(bytesAfter({ op: "set", path, value: 1n }), untouched, path);
  }
});

Deno.test("every kind of edit has a description", () => {
  const edits: Edit[] = [
    { op: "set", path: "/p", value: 16n },
    { op: "copy", path: "/p", from: "/q" },
    { op: "point", path: "/p", at: "/q", delta: 1 },
    { op: "text", path: "/p", text: "t", fill: 0 },
    { op: "flip", path: "/p", bit: 3 },
    { op: "swap", path: "/p", with: "/q" },
    { op: "duplicate", path: "/p", from: "/q" },
    { op: "drop", path: "/p" },
    { op: "xor", offset: 1, bits: 2 },
    { op: "resize", size: 3 },
    { op: "splice", offset: 1, remove: 2, insert: 3, pattern: { kind: "zero", seed: 0 } },
  ];
  const words = edits.map(describeEdit);
  assertEquals(new Set(words).size, edits.length);
  assertEquals(words[0], "/p := 0x10");
});

Deno.test("Places finds structures, elements and fields by path", () => {
  const places = new Places(image.placed);
  assertEquals(places.place("/many/1")?.offset, 24);
  assertEquals(places.field("/many/1/second")?.offset, 28);
  assertEquals(places.place("/many/-1"), undefined);
});

Deno.test("interestingValues() has both sides of every limit of a field, and never the value itself", () => {
  const field = fieldOf(header, "cluster_bits");
  const values = interestingValues(field, { fileSize: 4096, clusterSize: 512, value: 9n });
  for (const value of [8n, 10n, 20n, 21n, 22n, 0n, 0xffffffffn]) {
    assert(values.includes(value), `${value}`);
  }
  assertEquals(values.includes(9n), false);
  assert(values.every((value) => value >= 0n && value < 1n << 32n));
});

Deno.test("any draw gives edits that apply to the image", () => {
  const sorts = [
    ...["value", "word", "copy", "point", "text", "flip", "structure", "bytes", "file"] as const,
  ];
  for (const sort of sorts) {
    for (let n = 0; n < 40; n++) {
      const draw = {
        sort,
        role: n % 7,
        place: n,
        element: n,
        field: n,
        value: n * 7,
        other: n * 3,
      };
      const edits = resolveDraws(image, [draw], { unit: 512 });
      assert(edits.length <= 1);
      const source = applyEdits(image, edits);
      source.read(0, Math.min(source.size, 4096));
    }
  }
});
