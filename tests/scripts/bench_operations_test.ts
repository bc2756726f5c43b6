import { assertEquals, assertRejects } from "@std/assert";
import { Failure, type Target } from "../../fuzz/engine/mod.ts";
import { FORMATS, runOperations } from "../../scripts/bench/operations.ts";

Deno.test("a failure of the measured operations names the command that finds it again", async () => {
  const [[, raw]] = FORMATS.slice(-1) as [typeof FORMATS[number]];
  let runs = 0;
  const failing: Target = {
    ...raw,
    run: (value, context) => {
      if (++runs === 3) throw new Failure("broken", "The third case is broken");
      return raw.run(value, context);
    },
  };
  const { message, signature } = await assertRejects(
    () => runOperations(failing, { steps: 1000 }, 5),
    Failure,
  );
  assertEquals(signature, "broken");
  assertEquals(
    message,
    "The third case is broken (deno task fuzz raw-stateful --seed 5 --runs 3)",
  );
});
