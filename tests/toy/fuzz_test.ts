import { assert, assertEquals, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import { type CaseReport, Failure, type Target } from "../../fuzz/engine/target.ts";
import type { Kit } from "../../fuzz/formats/mod.ts";
import { open } from "../../fuzz/targets/open.ts";
import { roundtrip } from "../../fuzz/targets/roundtrip.ts";
import { toy, type ToyModel } from "./format.ts";
import { toyKit } from "./kit.ts";

const CASES = 200;
const context = { directory: "", tools: {} };

/** Runs cases of a target, and gives what the reports of all their images say. */
async function run<Case>(target: Target<Case>): Promise<CaseReport[]> {
  const reports: CaseReport[] = [];
  for (const value of fc.sample(target.cases(), { seed: 1, numRuns: CASES })) {
    const stored = target.fromJson(JSON.parse(JSON.stringify(target.toJson(value))));
    const report = await target.run(stored, context);
    reports.push(report, ...report.more ?? []);
  }
  return reports;
}

Deno.test("open fuzzes a new format: it breaks every rule, and reaches every depth", async () => {
  const target = open(toyKit);
  assertEquals(target.name, "toy-open");
  const reports = await run(target);
  const broken = new Set(reports.flatMap(({ rules }) => rules));
  assertEquals(toy.rules.map(({ id }) => id).filter((id) => !broken.has(id)), []);
  assertEquals(
    [...new Set(reports.map(({ depth }) => depth))].sort(),
    ["accepted", "header", "tables"],
  );
});

Deno.test("open changes fields of a new format by their names", () => {
  const target = open(toyKit);
  const texts = fc.sample(target.cases(), { seed: 1, numRuns: CASES }).map(target.describe);
  for (const field of ["/header/table_offset", "/header/block_bits", "/table/0/block"]) {
    assert(texts.some((text) => text.includes(field)), field);
  }
});

Deno.test("roundtrip fuzzes a new format, and finds a faulty writer", async () => {
  const reports = await run(roundtrip(toyKit));
  assert(reports.every(({ depth, rules }) => depth === "accepted" && rules.length === 0));
  const { build } = toy.writer;
  const writer = {
    ...toy.writer,
    // Leaves the data out: the blocks read as zeros.
    build: (model: ToyModel) => build({ ...model, data: [] }),
  };
  const wrong: Kit<ToyModel> = { ...toyKit, format: { ...toy, writer } };
  const target = roundtrip(wrong);
  const model = toy.writer.normalise({
    format: "toy",
    blockBits: 9,
    blocks: 2,
    data: [{ index: 1, pattern: { kind: "fill", seed: 1 } }],
  });
  const value = { model, edits: [], key: "right" as const };
  assertThrows(() => target.run(value, context), Failure);
});
