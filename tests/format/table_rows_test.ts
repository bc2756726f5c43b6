import { assertEquals } from "@std/assert";
import { AnatomyCollector, Marks, tableRows } from "../../src/format/mod.ts";

const BOUNDS = { rows: 3, tables: 1, entries: 100 };

/** Rows of entries that are 8 bytes long, from offset 1000 on: index and target. */
function rowsOf(
  entries: readonly [number, number][],
  marked: readonly number[] = [],
  bounds = BOUNDS,
) {
  const made = entries.map(([index, target]) => ({
    index,
    offset: 1000 + 8 * index,
    bytes: new Uint8Array(8),
    says: "data",
    target: { offset: target, step: 16 },
    doc: () => `guest ${index}`,
  }));
  const { rows, omitted } = tableRows("/t", () => made, { ...bounds, marks: new Marks(marked) });
  const shown = () => Array.from(rows, ({ path, offset, length }) => [path, offset, length]);
  // They can be read again.
  assertEquals(shown(), shown());
  return { omitted, rows: shown() };
}

Deno.test("tableRows() puts consecutive entries into one row", () => {
  assertEquals(rowsOf([[0, 0x20], [1, 0x30], [2, 0x40]]).rows, [["/t/0..2", 1000, 24]]);
  assertEquals(rowsOf([[0, 0x20], [1, 0x31]]).rows.length, 2);
  assertEquals(rowsOf([[0, 0x20], [2, 0x30]]).rows.length, 2);
});

Deno.test("tableRows() gives an entry with a mark its own row", () => {
  const entries: [number, number][] = [[0, 0], [1, 16], [2, 32], [3, 48]];
  assertEquals(rowsOf(entries, [1012]).rows.map(([path]) => path), ["/t/0", "/t/1", "/t/2..3"]);
});

Deno.test("tableRows() omits rows above the limit, but no entry with a mark", () => {
  const entries = Array.from({ length: 6 }, (_, i): [number, number] => [i, 1000 * i]);
  const { rows, omitted } = rowsOf(entries, [1040]);
  assertEquals(rows.map(([path]) => path), ["/t/0", "/t/1", "/t/2", "/t/5"]);
  assertEquals(omitted, 2);
});

Deno.test("tableRows() lists every row without a limit", () => {
  const entries = Array.from({ length: 6 }, (_, i): [number, number] => [i, 1000 * i]);
  const { rows, omitted } = rowsOf(entries, [1040], { ...BOUNDS, rows: Infinity });
  assertEquals([rows.length, omitted], [6, 0]);
  assertEquals(rowsOf([[0, 0], [1, 16]], [], { ...BOUNDS, rows: Infinity }).rows, [
    ["/t/0..1", 1000, 16],
  ]);
});

Deno.test("tableRows() prints several entries in one like each by itself", () => {
  const entry = (index: number, target: number, count = 1) => ({
    ...{ index, count, offset: 1000 + 8 * index, bytes: new Uint8Array(8), says: "data" },
    ...{ target: { offset: target, step: 16 }, doc: () => `guest ${index}` },
  });
  const shown = (...entries: ReturnType<typeof entry>[]) => {
    const { rows } = tableRows("/t", () => entries, { ...BOUNDS, marks: new Marks([]) });
    return Array.from(rows, ({ path, offset, length, value }) => [path, offset, length, value]);
  };
  const row = ["/t/2..6", 1016, 40, "data at 0x20 and on"];
  assertEquals(shown(entry(2, 32, 3), entry(5, 80, 2)), [row]);
  assertEquals(shown(entry(2, 32), entry(3, 48, 4)), [row]);
  assertEquals(shown(entry(2, 32, 3), entry(5, 81)).length, 2);
});

Deno.test("Marks.unmarked() ends entries before one that is marked", () => {
  const marks = new Marks([1024]);
  const counts = [[1000, 3], [1000, 4], [1016, 5], [1024, 5], [1032, 5]] as const;
  assertEquals(counts.map(([offset, entries]) => marks.unmarked(offset, entries, 8)), [
    ...[3, 2, 1, 1, 5],
  ]);
});

Deno.test("Marks finds an offset at the first byte of a range and not after its last", () => {
  const marks = new Marks([30, 10]);
  const found = [[10, 1], [9, 1], [11, 19], [11, 20], [31, 100], [0, 10], [0, 11]] as const;
  assertEquals(
    found.map(([offset, length]) => marks.within(offset, length)),
    [true, false, false, true, false, false, true],
  );
  assertEquals(new Marks([]).within(0, 100), false);
});

Deno.test("AnatomyCollector merges adjacent claims, and claims whole units", () => {
  const collector = new AnatomyCollector({ ...BOUNDS, marks: new Marks([]) }, {
    size: 1000,
    unit: 100,
  });
  collector.claim({ path: "/l1", offset: 210, length: 8, kind: "table" });
  const table = { path: "/l2", says: (index: number) => `guest ${index}` };
  const entry = { table, kind: "data" } as const;
  for (const [index, offset] of [[0, 500], [1, 600], [5, 700], [6, 900]] as const) {
    collector.claimEntry({ ...entry, index, offset, length: 100 });
  }
  const { claims } = collector.done();
  assertEquals(
    Array.from(claims, ({ path, offset, length, says }) => [path, offset, length, says]),
    [
      ["/l1", 200, 100, undefined],
      ["/l2/0..5", 500, 300, "guest 0"],
      ["/l2/6", 900, 100, "guest 6"],
    ],
  );
});

Deno.test("AnatomyCollector says when it does not know all claims", () => {
  const collector = new AnatomyCollector({ ...BOUNDS, marks: new Marks([]) }, { size: 1000 });
  assertEquals([collector.spend(60), collector.spend(41), collector.spend(40)], [
    true,
    false,
    true,
  ]);
  const { complete, gaps } = collector.done();
  assertEquals([complete, gaps.length], [false, 1]);
});
