import { assertEquals } from "@std/assert";
import { Novelty } from "../../../fuzz/engine/novelty.ts";

Deno.test("Novelty counts each feature once", () => {
  const novelty = new Novelty();
  const counts = [["a", "b"], ["b", "a"], ["c", "c"]].map((features) => novelty.add(features));
  assertEquals(counts, [2, 0, 1]);
});

Deno.test("Novelty counts each pair once, whatever the order of its features", () => {
  const novelty = new Novelty();
  const counts = [["a", "b", "c"], ["c", "a"], ["a", "d"], ["e"]]
    .map((features) => novelty.addPairs(features));
  assertEquals(counts, [3, 0, 1, 0]);
});

Deno.test("Novelty counts rules, their pairs and depths of all images of a case", () => {
  const novelty = new Novelty();
  const one = { depth: "header" as const, rules: ["a", "b", "a"] };
  const two = { depth: "data" as const, rules: ["a"], divergences: ["known"] };
  assertEquals(novelty.addReport({ ...one, more: [two] }), 1 + 2 + 1 + 1 + 1);
  assertEquals(novelty.addReport({ ...one, more: [two] }), 0);
  assertEquals(novelty.addReport({ depth: "data", rules: ["b", "c"] }), 1 + 1);
});
