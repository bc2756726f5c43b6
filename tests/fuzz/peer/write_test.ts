import { assert, assertEquals } from "@std/assert";
import type { Failure } from "../../../fuzz/engine/mod.ts";
import { caseAt } from "../../../fuzz/engine/random.ts";
import { liveTest } from "../../live.ts";
import { adapterWith, failureOf, targetFor } from "./changing.ts";

const ADAPTER = "writing_adapter.ts";

/** The first failure of the reference as an adapter, with a mistake. */
async function failureWith(mistake: string, runs: number): Promise<Failure | undefined> {
  return await failureOf(await targetFor("peer-write", adapterWith(ADAPTER, mistake)), runs);
}

Deno.test("peer-write finds nothing wrong with the reference as an adapter, also when it is killed", async () => {
  const failure = await failureWith("none", 12);
  assertEquals(failure?.message, undefined);
});

const MISTAKES = [
  ["the last byte is lost", /^(peer|killed)\.content/],
  ["zeros are not written", /^(peer|killed)\.content/],
  ["flush is ignored", /^killed\.content/],
  ["close is a crash", /^peer\.reopen\.crashed/],
] as const;

for (const [mistake, signature] of MISTAKES) {
  Deno.test(`peer-write finds the planted mistake '${mistake}'`, async () => {
    const failure = await failureWith(mistake, 60);
    assert(signature.test(failure?.signature ?? ""), failure?.signature);
  });
}

Deno.test("the script of a case sends its changes to the adapter", async () => {
  const target = await targetFor("peer-write", adapterWith(ADAPTER, "none"));
  const { value } = caseAt(target.cases(), { seed: 1, target: target.name }, 1);
  assert(target.script?.(value).includes('"operation":"flush"'));
});

liveTest(
  { needs: ["qemu-nbd"] },
  "peer-write finds nothing wrong with qemu-nbd",
  async (directory) => {
    const path =
      new URL("../../../examples/adapters/qemu-nbd/adapter.py", import.meta.url).pathname;
    const command = ["/usr/bin/env", "python3", path];
    const target = await targetFor("peer-write", command);
    for (let index = 0; index < 5; index++) {
      const { value } = caseAt(target.cases(), { seed: 2, target: target.name }, index);
      await target.run(value, { directory, tools: {} });
    }
    await target.stop?.();
  },
);
