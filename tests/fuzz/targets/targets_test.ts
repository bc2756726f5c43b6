import { assert, assertEquals } from "@std/assert";
import * as fc from "fast-check";
import type { CaseReport, Depth, Target } from "../../../fuzz/engine/target.ts";
import { wholes } from "../../../fuzz/formats/mod.ts";
import { targets } from "../../../fuzz/targets/mod.ts";
import { catalogue } from "../../../src/formats.ts";

const CASES = 60;

function targetNamed(name: string): Target {
  const target = targets.find((candidate) => candidate.name === name);
  assert(target !== undefined, name);
  return target;
}

function sample(target: Target, seed: number): unknown[] {
  return fc.sample(target.cases(), { numRuns: CASES, seed });
}

/** The bytes of a case's files, as far as they can tell two cases apart. */
function filesOf(target: Target, value: unknown): [string, number, number][] {
  return target.files(value).map(({ name, source }) => {
    const bytes = source.read(0, Math.min(source.size, 1 << 17));
    return [name, source.size, bytes.reduce((sum, byte) => (Math.imul(sum, 31) + byte) | 0, 0)];
  });
}

for (const target of targets) {
  const json = (value: unknown) => JSON.stringify(target.toJson(value));
  let drawn: unknown[] | undefined;
  /** What all tests of the target look at: drawing cases is most of their work. */
  const values = () => drawn ??= sample(target, 1);

  Deno.test(`${target.name}: the same seed gives the same cases`, () => {
    assertEquals(sample(target, 1).map(json), values().map(json));
  });

  Deno.test(`${target.name}: a case goes to JSON and back, and stands for the same files`, () => {
    for (const value of values()) {
      const text = json(value);
      const back = target.fromJson(JSON.parse(text));
      assertEquals(json(back), text);
      assertEquals(filesOf(target, back), filesOf(target, value));
    }
  });

  Deno.test(`${target.name}: a case says in a few lines what it is`, () => {
    for (const value of values()) assert(target.describe(value).length > 0);
  });
}

Deno.test("at least half of the malformed cases get past the header", () => {
  for (const name of ["qcow-open", "qcow2-open"]) {
    const target = targetNamed(name);
    const depths: Record<Depth, number> = { header: 0, tables: 0, data: 0, accepted: 0 };
    let cases = 0;
    for (const value of sample(target, 4)) {
      const report = target.run(value, { directory: "", tools: {} }) as CaseReport;
      for (const { depth } of [report, ...report.more ?? []]) {
        depths[depth]++;
        cases++;
      }
    }
    assert(depths.header < cases / 2, `${name}: ${JSON.stringify(depths)}`);
    assert(depths.tables > 0 && depths.data > 0, `${name}: ${JSON.stringify(depths)}`);
  }
});

Deno.test("roundtrip holds for generated chains", () => {
  const target = targetNamed("roundtrip");
  for (const value of sample(target, 5)) {
    assertEquals(
      (target.run(value, { directory: "", tools: {} }) as CaseReport).depth,
      "accepted",
    );
  }
});

Deno.test("every explained divergence names a rule of the catalogue and says why", () => {
  const rules = new Set(catalogue.map((rule) => rule.id));
  const divergences = [...new Set(wholes.flatMap(({ tools }) => tools.divergences))];
  for (const { name, rule, because } of divergences) {
    assert(rules.has(rule), `${name}: ${rule}`);
    assert(because.length > 40, name);
  }
  assertEquals(new Set(divergences.map(({ name }) => name)).size, divergences.length);
});
