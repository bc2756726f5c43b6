/** The generators draw every declared class of models at least as often as is declared. */

import { assert } from "@std/assert";
import { caseAt } from "../../../fuzz/engine/random.ts";
import { kits, targetName } from "../../../fuzz/formats/mod.ts";

const SEED = 1;
/** Enough for a few models of the rarest class. */
const MODELS = 3000;

for (const kit of kits) {
  const { classes = [] } = kit;
  if (classes.length === 0) continue;
  const name = targetName(kit, "open");
  Deno.test(`${name}: the models of every class have their share`, () => {
    // Each kit declares its classes for the target that draws the most of them.
    const models = kit.models("open");
    const counts = classes.map(() => 0);
    for (let index = 0; index < MODELS; index++) {
      const { value } = caseAt(models, { seed: SEED, target: name }, index);
      classes.forEach(({ has }, at) => {
        if (has(value)) counts[at] = (counts[at] ?? 0) + 1;
      });
    }
    const rare = classes.flatMap(({ name, share }, at) => {
      const found = (counts[at] ?? 0) / MODELS;
      return found < share ? [`${name}: ${found}, and not ${share}`] : [];
    });
    assert(rare.length === 0, rare.join("\n"));
  });
}
