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
