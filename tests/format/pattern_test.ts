import { assertEquals } from "@std/assert";
import { type Pattern, patternBytes } from "../../src/format/mod.ts";

const KINDS: readonly Pattern["kind"][] = ["zero", "fill", "ramp", "text", "noise", "single"];

Deno.test("patternBytes() makes any part of a pattern as the whole has it", () => {
  for (const kind of KINDS) {
    for (const seed of [0, 3, 8, 0x5f, 0xf8, 255]) {
      for (const start of [0, 2 ** 31 - 100, 2 ** 40]) {
        const whole = patternBytes({ kind, seed }, 1500, start);
        for (const [from, length] of [[0, 1], [511, 2], [77, 1024]] as const) {
          const part = patternBytes({ kind, seed }, length, start + from);
          assertEquals(
            part,
            whole.slice(from, from + length),
            `${kind} ${seed} at ${start + from}`,
          );
        }
      }
    }
  }
});

Deno.test("a pattern of single bits has one in each distance, in any byte of a word", () => {
  const places = new Set<number>();
  for (let seed = 0; seed < 256; seed++) {
    const distance = 512 << seed % 8;
    for (const start of [0, 2 ** 33]) {
      const bytes = patternBytes({ kind: "single", seed }, 2 * distance, start);
      const found: number[] = [];
      bytes.forEach((byte, at) => byte !== 0 && found.push(at));
      assertEquals(found.length, 2, `seed ${seed} at ${start}`);
      const [first = 0, second = 0] = found;
      assertEquals(second - first, distance);
      const byte = bytes[first] ?? 0;
      assertEquals(byte & byte - 1, 0);
      places.add(first % 8);
    }
  }
  assertEquals(places.size, 8);
});
