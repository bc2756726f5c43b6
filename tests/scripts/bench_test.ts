import { assertEquals } from "@std/assert";
import { compared, type Row, rowsText } from "../../scripts/bench/row.ts";

const ROWS: readonly Row[] = [
  { what: "rate", value: 100, unit: "/s", aim: { least: 90 } },
  {
    what: "ratio",
    value: 2,
    unit: "×",
    aim: { most: 1.3 },
    noise: 0.2,
    detail: "2 ms beside 1 ms",
  },
  { what: "start", value: 50, unit: "ms" },
];

Deno.test("bench prints each figure beside its aim, and whether it is met", () => {
  assertEquals(rowsText(ROWS), [
    "rate   100 /s  aim ≥ 90 /s  met",
    "ratio  2 ×     aim ≤ 1.3 ×  missed  2 ms beside 1 ms",
    "start  50 ms",
  ]);
});

Deno.test("bench --compare marks what is worse by more than the noise of both runs", () => {
  const before = { date: "2026-01-01", processors: 2, rows: ROWS };
  const changed = (...values: readonly number[]): Row[] =>
    ROWS.map((row, index) => ({ ...row, value: values[index] ?? row.value }));
  const marks = (rows: readonly Row[]): [number, ...string[]] => {
    const { lines, regressions } = compared(before, rows);
    return [regressions, ...lines.map((line) => /\S+$/.exec(line)?.[0] ?? "")];
  };
  assertEquals(marks(changed(95, 2.7, 54)), [0, "noise", "noise", "noise"]);
  assertEquals(marks(changed(85, 2.9, 56)), [3, "REGRESSION", "REGRESSION", "REGRESSION"]);
  assertEquals(marks(changed(120, 1, 40)), [0, "better", "better", "better"]);
  const { lines } = compared(before, [{ what: "other", value: 1, unit: "ms" }]);
  assertEquals(lines, ["other  new  1 ms"]);
});
