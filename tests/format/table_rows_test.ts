import { assertEquals } from "@std/assert";
import { AnatomyCollector, Marks, TableRows } from "../../src/format/mod.ts";

const BOUNDS = { rows: 3, tables: 1, entries: 100 };

/** Rows of entries that are 8 bytes long, from offset 1000 on: index and target. */
function rowsOf(entries: readonly [number, number][], marked: readonly number[] = []) {
  const rows = new TableRows("/t", { ...BOUNDS, marks: new Marks(marked) });
  for (const [index, target] of entries) {
    rows.add({
      index,
      offset: 1000 + 8 * index,
      bytes: new Uint8Array(8),
      says: "data",
      target: { offset: target, step: 16 },
      doc: () => `guest ${index}`,
    });
  }
  const done = rows.done();
  return { ...done, rows: done.rows.map(({ path, offset, length }) => [path, offset, length]) };
}

Deno.test("TableRows puts entries into one row that continue each other", () => {
  assertEquals(rowsOf([[0, 0x20], [1, 0x30], [2, 0x40]]).rows, [["/t/0..2", 1000, 24]]);
  assertEquals(rowsOf([[0, 0x20], [1, 0x31]]).rows.length, 2);
  assertEquals(rowsOf([[0, 0x20], [2, 0x30]]).rows.length, 2);
});

Deno.test("TableRows gives an entry with a mark a row for itself", () => {
  const entries: [number, number][] = [[0, 0], [1, 16], [2, 32], [3, 48]];
  assertEquals(rowsOf(entries, [1012]).rows.map(([path]) => path), ["/t/0", "/t/1", "/t/2..3"]);
});

Deno.test("TableRows leaves out what there is no room for, but no entry with a mark", () => {
  const entries = Array.from({ length: 6 }, (_, i): [number, number] => [i, 1000 * i]);
  const { rows, omitted } = rowsOf(entries, [1040]);
  assertEquals(rows.map(([path]) => path), ["/t/0", "/t/1", "/t/2", "/t/5"]);
  assertEquals(omitted, 2);
});

Deno.test("Marks finds an offset at the first byte of a range and not behind its last", () => {
  const marks = new Marks([30, 10]);
  const found = [[10, 1], [9, 1], [11, 19], [11, 20], [31, 100], [0, 10], [0, 11]] as const;
  assertEquals(
    found.map(([offset, length]) => marks.within(offset, length)),
    [true, false, false, true, false, false, true],
  );
  assertEquals(new Marks([]).within(0, 100), false);
});

Deno.test("AnatomyCollector makes one claim of neighbours, and claims units as a whole", () => {
  const collector = new AnatomyCollector({ ...BOUNDS, marks: new Marks([]) }, 100);
  collector.claim({ path: "/l1", offset: 210, length: 8, kind: "table" });
  const entry = { table: "/l2", kind: "data", says: () => "guest" } as const;
  for (const [index, offset] of [[0, 500], [1, 600], [5, 700], [6, 900]] as const) {
    collector.claimEntry({ ...entry, index, offset, length: 100 });
  }
  const claims = collector.done().claims.map(({ path, offset, length }) => [path, offset, length]);
  assertEquals(claims, [["/l1", 200, 100], ["/l2/0..5", 500, 300], ["/l2/6", 900, 100]]);
});

Deno.test("AnatomyCollector says when it does not know all claims", () => {
  const collector = new AnatomyCollector({ ...BOUNDS, marks: new Marks([]) });
  assertEquals([collector.spend(60), collector.spend(41), collector.spend(40)], [
    true,
    false,
    true,
  ]);
  const { complete, gaps } = collector.done();
  assertEquals([complete, gaps.length], [false, 1]);
});
