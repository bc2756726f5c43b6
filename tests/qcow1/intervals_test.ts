import { assertEquals } from "@std/assert";
import { patternBytes } from "../../src/format/mod.ts";
import { IntervalSet } from "../../src/qcow1/intervals.ts";

Deno.test("add() returns the numbers that were not in the set", () => {
  const set = new IntervalSet();
  assertEquals(set.add({ from: 10, to: 20 }), [{ from: 10, to: 20 }]);
  assertEquals(set.add({ from: 12, to: 18 }), []);
  assertEquals(set.add({ from: 30, to: 40 }), [{ from: 30, to: 40 }]);
  assertEquals(set.add({ from: 5, to: 35 }), [{ from: 5, to: 10 }, { from: 20, to: 30 }]);
  assertEquals(set.add({ from: 0, to: 50 }), [{ from: 0, to: 5 }, { from: 40, to: 50 }]);
  assertEquals(set.add({ from: 7, to: 7 }), []);
});

Deno.test("add() returns each number once, like a plain set", () => {
  const bytes = patternBytes({ kind: "noise", seed: 4 }, 2000);
  const set = new IntervalSet();
  const plain = new Set<number>();
  for (let i = 0; i < bytes.length; i += 2) {
    const from = bytes[i] ?? 0;
    const to = from + (bytes[i + 1] ?? 0) % 9;
    const expected = Array.from({ length: to - from }, (_, at) => from + at)
      .filter((number) => !plain.has(number));
    const fresh = set.add({ from, to }).flatMap((part) =>
      Array.from({ length: part.to - part.from }, (_, at) => part.from + at)
    );
    assertEquals(fresh, expected);
    fresh.forEach((number) => plain.add(number));
  }
});
