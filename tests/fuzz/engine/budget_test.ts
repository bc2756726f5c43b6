import { assertEquals } from "@std/assert";
import { formatDuration, parseDuration } from "../../../fuzz/engine/mod.ts";

Deno.test("parseDuration() reads seconds, and every unit", () => {
  const read = ["90", "60s", "5m", "1h", "500ms", "1.5s"].map(parseDuration);
  assertEquals(read, [90_000, 60_000, 300_000, 3_600_000, 500, 1500]);
});

Deno.test("parseDuration() accepts a week and nothing above it", () => {
  assertEquals(parseDuration("168h"), 168 * 3_600_000);
  assertEquals(parseDuration("169h"), undefined);
});

Deno.test("parseDuration() rejects what is not a duration", () => {
  for (const text of ["", "s", "0", "0s", "-1s", "1d", "1 s", "1e3", "Infinity", "5m30s"]) {
    assertEquals(parseDuration(text), undefined, text);
  }
});

Deno.test("formatDuration() uses the unit that fits", () => {
  const shown = [850, 12_560, 59_990, 60_000, 245_000, 3_720_000].map(formatDuration);
  assertEquals(shown, ["850ms", "12.5s", "59.9s", "1m00s", "4m05s", "1h02m"]);
});
