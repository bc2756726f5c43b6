import * as fc from "fast-check";
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { caseAt, followPath, listedAt, parsePath, pathText } from "../../../fuzz/engine/random.ts";

const cases = fc.record({ a: fc.nat(), b: fc.array(fc.nat()), c: fc.bigInt() });
const stream = { seed: 7, target: "toy" };
const indices = Array.from({ length: 50 }, (_, i) => i * 97);

Deno.test("caseAt() gives the same case for the same index, whatever was generated before", () => {
  const upwards = indices.map((index) => caseAt(cases, stream, index).value);
  const downwards = indices.toReversed().map((index) => caseAt(cases, stream, index).value);
  assertEquals(upwards, downwards.toReversed());
});

Deno.test("listedAt() gives each case once, in another order for another seed", () => {
  for (const length of [1, 2, 3, 10, 97, 1570]) {
    const listed = Array.from({ length }, (_, at) => at);
    const order = (seed: number) =>
      listed.map((index) => listedAt(listed, { seed, target: "toy" }, index));
    for (const seed of [0, 7, 2 ** 32 - 1]) {
      assertEquals(order(seed).toSorted((a = 0, b = 0) => a - b), listed);
    }
    if (length > 1) assertNotEquals(order(0), order(1));
  }
});

Deno.test("caseAt() gives other cases for another seed, target or index", () => {
  const draw = (from: typeof stream, index: number) =>
    Array.from({ length: 5 }, (_, i) => caseAt(cases, from, index + i).value);
  const base = draw(stream, 0);
  assertNotEquals(base, draw({ ...stream, seed: 8 }, 0));
  assertNotEquals(base, draw({ ...stream, target: "toz" }, 0));
  assertNotEquals(base, draw(stream, 1));
});

Deno.test("caseAt() draws evenly over neighbouring indices and seeds", () => {
  const digit = fc.noBias(fc.nat(9));
  const draws = 20_000;
  for (const byIndex of [true, false]) {
    const counts = new Array(10).fill(0);
    for (let i = 0; i < draws; i++) {
      const from = byIndex ? stream : { ...stream, seed: i };
      counts[caseAt(digit, from, byIndex ? i : 0).value]++;
    }
    // Six standard deviations of a fair draw.
    const slack = 6 * Math.sqrt(draws * 0.1 * 0.9);
    for (const count of counts) assert(Math.abs(count - draws / 10) < slack, String(counts));
  }
});

Deno.test("caseAt() has the highest index of a stream", () => {
  assertNotEquals(caseAt(cases, stream, 2 ** 32 - 1).value, caseAt(cases, stream, 0).value);
});

Deno.test("followPath() uses the candidates of the arbitrary in its order", () => {
  const start = caseAt(cases, stream, 3);
  const first = [...cases.shrink(start.value, start.context)];
  const second = first[2] === undefined ? [] : [...cases.shrink(first[2].value, first[2].context)];
  assertEquals(followPath(cases, start, []), start);
  assertEquals(followPath(cases, start, [2])?.value, first[2]?.value);
  assertEquals(followPath(cases, start, [2, 1])?.value, second[1]?.value);
});

Deno.test("followPath() says when there are not as many candidates", () => {
  const number = fc.nat(10);
  const start = number.generate(new fc.Random(caseSource()), undefined);
  const count = [...number.shrink(start.value, start.context)].length;
  assert(followPath(number, start, [count - 1]) !== undefined);
  assertEquals(followPath(number, start, [count]), undefined);
});

function caseSource() {
  const source = { clone: () => source, next: () => 5, getState: () => [5] };
  return source;
}

Deno.test("parsePath() reads what pathText() writes, and nothing else", () => {
  assertEquals(pathText(45, [0, 1]), "45:0:1");
  assertEquals(parsePath("45:0:1"), { index: 45, path: [0, 1] });
  assertEquals(parsePath("4294967295"), { index: 4294967295, path: [] });
  for (const text of ["4294967296", "", ":", "1:", "a", "-1", "1:-1", "1.5"]) {
    assertEquals(parsePath(text), undefined, text);
  }
});
