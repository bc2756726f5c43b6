import { assertEquals } from "@std/assert";
import { startWatch } from "../../../fuzz/targets/metered.ts";

Deno.test("a watch counts neither the work of other processes nor that of other threads", () => {
  const times = { clock: 1000, processor: 200 };
  const watch = startWatch(() => times.clock, () => times.processor);
  times.clock += 9000;
  times.processor += 30;
  assertEquals(watch(), 30);
  times.processor += 20_000;
  assertEquals(watch(), 9000);
});

Deno.test("a watch counts the work of this thread", () => {
  const watch = startWatch();
  let work = 0;
  while (watch() < 5) work++;
  assertEquals(work > 0, true);
});
