/** Expectations agree with the answers of tools, or name the reason why they do not. */

import { assertEquals } from "@std/assert";
import {
  expectationsFor,
  hasSpoken,
  type ImageRecord,
  questionsOf,
  readRecord,
  recordNames,
  subjectOf,
  unpackRecord,
} from "../../src/recorded/mod.ts";
import { withScratch } from "../../src/peers/mod.ts";

const SETS = ["golden/images", "corpus/images"];

/** The verdict of the newest version of a tool that has one, for each question. */
function* answers(record: ImageRecord) {
  for (const { name, operation, recorded } of questionsOf(record)) {
    const newest = recorded.findLast(({ outcome, fault }) =>
      fault === undefined && hasSpoken(outcome)
    );
    if (newest !== undefined) yield { name, operation, outcome: newest.outcome };
  }
}

Deno.test("what must be accepted is accepted by the tools", () => {
  const wrong: string[] = [];
  for (const images of SETS) {
    for (const image of recordNames(images)) {
      const record = readRecord(images, image);
      for (const { name, outcome } of answers(record)) {
        const verdict = record.expected?.answers[name]?.verdict;
        if (verdict === undefined || verdict === "must-accept" && outcome.outcome !== "accepted") {
          wrong.push(`${image}: ${name}: ${verdict} ${outcome.outcome}`);
        }
      }
    }
  }
  assertEquals(wrong, []);
});

Deno.test("what must be rejected is rejected by the tools, or a check reports damage", () => {
  const wrong: string[] = [];
  for (const images of SETS) {
    for (const image of recordNames(images)) {
      const record = readRecord(images, image);
      for (const { name, operation, outcome } of answers(record)) {
        if (record.expected?.answers[name]?.verdict !== "must-reject") continue;
        const report = outcome.outcome === "accepted" ? outcome.value : undefined;
        const isDamaged = operation === "check" && report !== undefined &&
          [1, 2].includes((report as { exitCode: number }).exitCode);
        if (outcome.outcome === "accepted" && !isDamaged) wrong.push(`${image}: ${name}`);
      }
    }
  }
  assertEquals(wrong, []);
});

Deno.test("recorded expectations are what the judge says now", async () => {
  const stale: string[] = [];
  for (const images of SETS) {
    for (const image of recordNames(images)) {
      const record = readRecord(images, image);
      const { expected: recorded, ...rest } = record;
      const expected = await withScratch((directory) => {
        unpackRecord(images, rest, directory);
        return Promise.resolve(expectationsFor(rest, subjectOf(rest, directory).directory ?? ""));
      });
      if (JSON.stringify(expected) !== JSON.stringify(recorded)) stale.push(image);
    }
  }
  assertEquals(stale, [], "run 'deno task expectations'");
});
