import { assert, assertEquals } from "@std/assert";
import { fuzzPlanted } from "./under_test.ts";

/** Some cases compare nothing: an edit can make an image too large, or one of another format. */
const CASES = 180;
const COMPARED = 135;

for (const name of ["lazy", "strict"]) {
  Deno.test(`fuzz --peer finds nothing in the ${name} implementation, which is honest`, async () => {
    const { findings, results, failures } = await fuzzPlanted(name, { runs: CASES, seed: 20 });
    assertEquals(failures.map(({ found }) => found.fault.message), []);
    assertEquals(findings, []);
    for (const { target, end, counts } of results) {
      assertEquals([target, end], [target, "runs"]);
      assert(counts.cases > COMPARED, `${target} compared only ${counts.cases} cases`);
    }
  });
}
