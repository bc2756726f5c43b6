import { assertEquals } from "@std/assert";
import { seededBytes, WordSet } from "../../src/format/mod.ts";

Deno.test("WordSet adds each word once, as a Set does", () => {
  const random = new Uint32Array(seededBytes(7)(80_000).slice().buffer);
  const words = new WordSet();
  const known = new Set<string>();
  for (let at = 0; at < random.length; at += 2) {
    // Few different halves, so that words repeat and differ in one half alone.
    const high = (random[at] as number) % 90 * 0x2d82d82;
    const low = (random[at + 1] as number) % 90;
    if (high === 0 && low === 0) continue;
    const isNew = !known.has(`${high} ${low}`);
    known.add(`${high} ${low}`);
    assertEquals(words.add(high, low), isNew, `${high} ${low}`);
  }
});
