import { assert, assertEquals } from "@std/assert";
import { Failure, type Target } from "../../../fuzz/engine/mod.ts";
import { caseAt } from "../../../fuzz/engine/random.ts";
import { peerTargets } from "../../../fuzz/peer/mod.ts";
import { JsonlPeer, withScratch } from "../../../src/peers/mod.ts";

const ADAPTER = new URL("concurrent_adapter.ts", import.meta.url).pathname;
const PERMISSIONS = ["--quiet", "--no-prompt", "--no-check", "--allow-read", "--allow-write=/tmp"];

async function targetOf(mistake: string): Promise<Target | undefined> {
  const command = ["deno", "run", ...PERMISSIONS, ADAPTER, mistake];
  const open = () => new JsonlPeer({ command, atOnce: 1, strict: true });
  const peer = open();
  const description = await peer.describe();
  await peer.close();
  const under = { text: `jsonl:${command.join(" ")}`, description, open };
  return peerTargets([under]).find(({ name }) => name === "peer-concurrent");
}

/** Runs cases up to the first failure. */
async function failureOf(mistake: string, runs: number): Promise<Failure | undefined> {
  const target = await targetOf(mistake);
  assert(target !== undefined);
  try {
    return await withScratch(async (directory) => {
      for (let index = 0; index < runs; index++) {
        const { value } = caseAt(target.cases(), { seed: 1, target: target.name }, index);
        try {
          await target.run(value, { directory, tools: {} });
        } catch (error) {
          if (error instanceof Failure) return error;
          throw error;
        }
      }
      return undefined;
    }, "/tmp");
  } finally {
    await target.stop?.();
  }
}

Deno.test("peer-concurrent finds nothing wrong with the reference that works on requests in turns", async () => {
  const failure = await failureOf("none", 12);
  assertEquals(failure?.message, undefined);
});

const MISTAKES = [
  ["a block is read, and written later", /^peer\.concurrent\.(content|read)$/],
  ["sectors are torn", /^peer\.concurrent\.(content|read)$/],
  ["reads are stale", /^peer\.concurrent\.read$/],
  ["writes are answered early", /^peer\.concurrent\.(content|read)$/],
] as const;

for (const [mistake, signature] of MISTAKES) {
  Deno.test(`peer-concurrent finds the planted mistake '${mistake}'`, async () => {
    const failure = await failureOf(mistake, 60);
    assert(signature.test(failure?.signature ?? ""), failure?.signature);
  });
}
