import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { contradictionIn, type TimedRequest } from "../../../fuzz/stateful/mod.ts";

const SECTOR = 512;

/** A request: what it does, its bytes as ranges of one value, and its times. */
type Entry = readonly [
  text: `${"write" | "read" | "discard"} ${string}`,
  sent: number,
  answered: number,
];

/**
 * `write 0-512:7` writes sevens to the first sector; a read has the bytes that it found; `,` joins parts.
 */
function requestOf([text, sent, answered]: Entry): TimedRequest {
  const [verb, content = ""] = text.split(" ");
  const parts = content.split(",").map((part) => {
    const [, start = 0, end = 0, value = 0] = (/^(\d+)-(\d+):?(\d*)$/.exec(part) ?? []).map(Number);
    return { start, end, value };
  });
  const start = parts[0]?.start ?? 0;
  const end = parts.at(-1)?.end ?? 0;
  const bytes = new Uint8Array(end - start);
  for (const part of parts) bytes.fill(part.value, part.start - start, part.end - start);
  const timed = { range: { start, end }, sent, answered };
  return verb === "discard"
    ? { ...timed, do: verb }
    : { ...timed, do: verb === "read" ? "read" : "write", bytes };
}

/** The start of the sector without an order, on a disk of zeros. */
function sectorOf(...entries: Entry[]): number | undefined {
  const before = (_: number, length: number) => new Uint8Array(length);
  return contradictionIn(before, entries.map(requestOf))?.range.start;
}

Deno.test("either of two overlapping writes may be the last, and no other content is right", () => {
  const writes: Entry[] = [["write 0-512:1", 0, 3], ["write 0-512:2", 1, 2]];
  assertEquals(sectorOf(...writes, ["read 0-512:1", 9, 10]), undefined);
  assertEquals(sectorOf(...writes, ["read 0-512:2", 9, 10]), undefined);
  assertEquals(sectorOf(...writes, ["read 0-512:0", 9, 10]), 0);
  assertEquals(sectorOf(...writes, ["read 0-512:3", 9, 10]), 0);
  assertEquals(sectorOf(...writes, ["read 0-256:1,256-512:2", 9, 10]), 0);
});

Deno.test("a write that was answered before another was sent is not the last", () => {
  const writes: Entry[] = [["write 0-512:1", 0, 1], ["write 0-512:2", 2, 3]];
  assertEquals(sectorOf(...writes, ["read 0-512:2", 9, 10]), undefined);
  assertEquals(sectorOf(...writes, ["read 0-512:1", 9, 10]), 0);
});

Deno.test("sectors of two overlapping writes may have different orders", () => {
  const writes: Entry[] = [["write 0-1024:1", 0, 3], ["write 0-1024:2", 1, 2]];
  assertEquals(sectorOf(...writes, ["read 0-512:1,512-1024:2", 9, 10]), undefined);
  assertEquals(sectorOf(...writes, ["read 0-512:1,512-1024:0", 9, 10]), SECTOR);
});

Deno.test("writes to parts of a sector must both be there: none is lost", () => {
  const writes: Entry[] = [["write 0-100:1", 0, 3], ["write 400-512:2", 1, 2]];
  assertEquals(sectorOf(...writes, ["read 0-100:1,100-400:0,400-512:2", 9, 10]), undefined);
  assertEquals(sectorOf(...writes, ["read 0-100:1,100-512:0", 9, 10]), 0);
  assertEquals(sectorOf(...writes, ["read 0-400:0,400-512:2", 9, 10]), 0);
});

Deno.test("where writes to parts of a sector overlap, one of them is above the other in all bytes", () => {
  const writes: Entry[] = [["write 0-300:1", 0, 3], ["write 200-512:2", 1, 2]];
  assertEquals(sectorOf(...writes, ["read 0-300:1,300-512:2", 9, 10]), undefined);
  assertEquals(sectorOf(...writes, ["read 0-200:1,200-512:2", 9, 10]), undefined);
  assertEquals(sectorOf(...writes, ["read 0-250:1,250-512:2", 9, 10]), 0);
});

Deno.test("a read in flight with a write has the old or the new content", () => {
  const write: Entry = ["write 0-512:1", 0, 5];
  assertEquals(sectorOf(write, ["read 0-512:0", 1, 4], ["read 0-512:1", 9, 10]), undefined);
  assertEquals(sectorOf(write, ["read 0-512:1", 1, 4], ["read 0-512:1", 9, 10]), undefined);
  assertEquals(sectorOf(write, ["read 0-512:2", 1, 4], ["read 0-512:1", 9, 10]), 0);
  assertEquals(sectorOf(write, ["read 0-256:0,256-512:1", 1, 4], ["read 0-512:1", 9, 10]), 0);
});

Deno.test("a read that is sent after the answer to a write does not have the old content", () => {
  assertEquals(sectorOf(["write 0-512:1", 0, 1], ["read 0-512:1", 2, 3]), undefined);
  assertEquals(sectorOf(["write 0-512:1", 0, 1], ["read 0-512:0", 2, 3]), 0);
});

Deno.test("reads one after the other never go back to older content", () => {
  const write: Entry = ["write 0-512:1", 0, 9];
  const end: Entry = ["read 0-512:1", 20, 21];
  assertEquals(sectorOf(write, ["read 0-512:0", 1, 2], ["read 0-512:1", 3, 4], end), undefined);
  assertEquals(sectorOf(write, ["read 0-512:1", 1, 2], ["read 0-512:0", 3, 4], end), 0);
});

Deno.test("reads in flight at once agree on the order of two writes", () => {
  const history = (third: number, fourth: number): Entry[] => [
    ["write 0-512:1", 0, 20],
    ["write 0-512:2", 1, 21],
    ["read 0-512:1", 2, 3],
    ["read 0-512:2", 4, 5],
    [`read 0-512:${third}`, 6, 7],
    ["read 0-512:2", 30, 31],
    [`read 0-512:${fourth}`, 32, 33],
  ];
  assertEquals(sectorOf(...history(2, 2)), undefined);
  assertEquals(sectorOf(...history(1, 2)), 0);
  assertEquals(sectorOf(...history(2, 1)), 0);
});

Deno.test("a discard leaves anything, but not over a later write", () => {
  const discard: Entry = ["discard 0-512", 0, 1];
  assertEquals(sectorOf(discard, ["read 0-512:9", 2, 3]), undefined);
  assertEquals(sectorOf(discard, ["write 0-512:1", 2, 3], ["read 0-512:9", 4, 5]), 0);
  assertEquals(
    sectorOf(["write 0-512:1", 2, 3], ["discard 0-256", 4, 5], [
      "read 0-256:9,256-512:2",
      6,
      7,
    ]),
    0,
  );
});

/** All orders of a list. */
function* ordersOf<T>(list: readonly T[]): Generator<readonly T[]> {
  if (list.length === 0) yield [];
  for (const [index, first] of list.entries()) {
    for (const rest of ordersOf(list.toSpliced(index, 1))) yield [first, ...rest];
  }
}

/** Whether some order explains the requests: all of them are tried. */
function isExplained(requests: readonly TimedRequest[]): boolean {
  return ordersOf(requests).some((order) => {
    const disk = new Uint8Array(SECTOR);
    return order.every(({ do: verb, range, bytes, answered }, index) => {
      if (order.slice(0, index).some((it) => answered < it.sent)) return false;
      if (verb === "write") disk.set(bytes ?? [], range.start);
      const found = disk.subarray(range.start, range.end);
      return verb === "write" || bytes?.every((byte, at) => byte === found[at]);
    });
  });
}

const RANGES = [[0, 512], [0, 300], [200, 512]] as const;
const someRequests = fc.array(
  fc.record({
    verb: fc.constantFrom("write", "read"),
    range: fc.constantFrom(...RANGES),
    value: fc.nat(2),
    sent: fc.nat(9),
    lasts: fc.nat(6),
  }),
  { minLength: 2, maxLength: 5 },
);

Deno.test("contradictionIn() says the same as a trial of all orders", () => {
  const seen = new Set<boolean>();
  fc.assert(
    fc.property(someRequests, (list) => {
      const requests = list.map(({ verb, range: [start, end], value, sent, lasts }, index) => {
        const [from, to] = [2 * sent + index / 10, 2 * (sent + lasts) + 1 + index / 10];
        return requestOf([`${verb as "read"} ${start}-${end}:${value}`, from, to]);
      });
      const before = (_: number, length: number) => new Uint8Array(length);
      const found = contradictionIn(before, requests) === undefined;
      seen.add(found);
      assertEquals(found, isExplained(requests));
    }),
    { numRuns: 400, seed: 1 },
  );
  assertEquals(seen.size, 2);
});
