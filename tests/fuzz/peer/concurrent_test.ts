import { assert, assertEquals } from "@std/assert";
import type { Failure } from "../../../fuzz/engine/mod.ts";
import { adapterWith, failureOf, targetFor } from "./changing.ts";

/** The first failure of the reference as an adapter, with a mistake. */
async function failureWith(mistake: string, runs: number): Promise<Failure | undefined> {
  const command = adapterWith("concurrent_adapter.ts", mistake);
  return await failureOf(await targetFor("peer-concurrent", command), runs);
}

Deno.test("peer-concurrent finds nothing wrong with the reference that works on requests in turns", async () => {
  const failure = await failureWith("none", 12);
  assertEquals(failure?.message, undefined);
});

const MISTAKES = [
  ["a block is read, and written later", /^wrong-content peer\.concurrent\.(content|read)$/],
  ["sectors are torn", /^wrong-content peer\.concurrent\.(content|read)$/],
  ["reads are stale", /^wrong-content peer\.concurrent\.read$/],
  ["writes are answered early", /^wrong-content peer\.concurrent\.(content|read)$/],
] as const;

for (const [mistake, signature] of MISTAKES) {
  Deno.test(`peer-concurrent finds the planted mistake '${mistake}'`, async () => {
    // Which requests overlap depends on the machine. The first failure ends the run.
    const failure = await failureWith(mistake, 400);
    assert(signature.test(failure?.signature ?? ""), failure?.signature);
  });
}
