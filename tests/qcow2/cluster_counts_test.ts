import { assertEquals } from "@std/assert";
import { seededBytes } from "../../src/format/mod.ts";
import { ClusterCounts } from "../../src/qcow2/check/cluster_counts.ts";

/** Clusters of a file that is long enough for many more pages than a small file may have. */
const END = 2 ** 31;

Deno.test("ClusterCounts keeps counts however scattered they are, and finds them in order", () => {
  const random = new Uint32Array(seededBytes(3)(40_000).slice().buffer);
  const counts = new ClusterCounts(0);
  const known = new Map<number, number>();
  for (const value of random) {
    for (const cluster of [value % END, value % 100]) {
      const count = (known.get(cluster) ?? 0) + 1 + value % 3 * 2 ** 32;
      known.set(cluster, count);
      counts.set(cluster, count);
      assertEquals(counts.get(cluster), count);
    }
  }
  for (const [cluster, count] of known) assertEquals(counts.get(cluster), count);
  const inOrder = [...known.keys()].sort((a, b) => a - b);
  const found: number[] = [];
  for (let at = counts.next(0, END); at < END; at = counts.next(at + 1, END)) {
    if (counts.get(at) > 0) found.push(at);
  }
  assertEquals(found, inOrder);
});

Deno.test("a count in a gap that was searched before is found", () => {
  const counts = new ClusterCounts(2 ** 20);
  counts.set(40_000, 1);
  assertEquals([counts.next(0, END), counts.next(5, END), counts.next(5, 100)], [
    40_000,
    40_000,
    100,
  ]);
  assertEquals(counts.next(5, END), 40_000);
  counts.set(70, 1);
  assertEquals([counts.next(5, END), counts.next(70, END), counts.next(71, END)], [70, 70, 40_000]);
  counts.addRun(30_000, 2, { times: 1, max: 5 });
  assertEquals([counts.next(71, END), counts.next(30_002, END)], [30_000, 40_000]);
});

Deno.test("a count in a sequence of clusters is what it is for each of them alone", () => {
  const random = new Uint16Array(seededBytes(5)(6000).slice().buffer);
  const max = 2 ** 16 + 10;
  const counts = new ClusterCounts(2 ** 20);
  const known = new Map<number, number>();
  for (let i = 0; i + 2 < random.length; i += 3) {
    const [first = 0, more = 0, by = 0] = random.subarray(i, i + 3);
    const times = by % 5 === 0 ? by : 1;
    const start = first % 40_000;
    const end = start + more % 3000;
    for (let at = start; at < end;) {
      const done = counts.addRun(at, end - at, { times, max });
      for (const to = at + done; at < to; at++) known.set(at, (known.get(at) ?? 0) + times);
      if (at === end) break;
      const count = Math.min(counts.get(at) + times, max);
      known.set(at, count);
      counts.set(at++, count);
    }
  }
  assertEquals([...known.values()].some((count) => count > 2 ** 16), true);
  for (let at = 0; at < 45_000;) {
    const count = known.get(at) ?? 0;
    for (const to = at + counts.same(at); at < to; at++) {
      assertEquals([at, counts.get(at), known.get(at) ?? 0], [at, count, count]);
    }
  }
});

Deno.test("counts that do not fit into 32 bits are not the same because they are large", () => {
  const counts = new ClusterCounts(2 ** 20);
  for (const [cluster, count] of [[5, 2 ** 33], [6, 2 ** 34], [7, 2 ** 34]] as const) {
    counts.set(cluster, count);
  }
  assertEquals(counts.same(5), 1);
});
