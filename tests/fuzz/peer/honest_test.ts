import { assert, assertEquals } from "@std/assert";
import { fuzzPlanted } from "./under_test.ts";

const CASES = 150;

for (const name of ["lazy", "strict"]) {
  Deno.test(`fuzz --peer finds nothing in the ${name} implementation, which is honest`, async () => {
    const { findings, results, failures } = await fuzzPlanted(name, { runs: CASES, seed: 20 });
    assertEquals(failures.map(({ found }) => found.fault.message), []);
    assertEquals(findings, []);
    for (const { target, end, counts } of results) {
      assertEquals([target, end], [target, "runs"]);
      assert(counts.cases > 0.9 * CASES, `${target} compared only ${counts.cases} cases`);
    }
  });
}
