import { assert, assertEquals } from "@std/assert";
import { caseAt } from "../../../fuzz/engine/random.ts";
import { targets } from "../../../fuzz/targets/mod.ts";

for (const target of targets.filter(({ name }) => name.endsWith("-open"))) {
  Deno.test(`${target.name} names the steps of a case, which distinguishes hangs`, () => {
    const steps: string[] = [];
    const { value } = caseAt(target.cases(), { seed: 1, target: target.name }, 0);
    target.run(value, { directory: "", tools: {}, at: (step) => void steps.push(step) });
    assert(steps.length >= 4);
    assertEquals(steps.slice(0, 4), ["open", "judge", "inspect", "compare"]);
  });
}
