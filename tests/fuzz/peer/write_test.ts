import { assert, assertEquals } from "@std/assert";
import { Failure, type Target } from "../../../fuzz/engine/mod.ts";
import { caseAt } from "../../../fuzz/engine/random.ts";
import { peerTargets, type PeerUnderTest } from "../../../fuzz/peer/mod.ts";
import { JsonlPeer, withScratch } from "../../../src/peers/mod.ts";
import { liveTest } from "../../live.ts";

const ADAPTER = new URL("writing_adapter.ts", import.meta.url).pathname;
const PERMISSIONS = ["--quiet", "--no-prompt", "--no-check", "--allow-read", "--allow-write=/tmp"];

/** The target of the reference as an adapter, with a mistake. */
async function targetOf(mistake: string): Promise<Target> {
  const command = ["deno", "run", ...PERMISSIONS, ADAPTER, mistake];
  return await targetFor(() => new JsonlPeer({ command, atOnce: 1, strict: true }));
}

async function targetFor(open: () => JsonlPeer): Promise<Target> {
  const peer = open();
  const description = await peer.describe();
  await peer.close();
  const under: PeerUnderTest = { text: "jsonl:adapter", description, open };
  const target = peerTargets([under]).find(({ name }) => name === "peer-write");
  assert(target !== undefined);
  return target;
}

/** Runs cases up to the first failure. */
async function failureOf(mistake: string, runs: number): Promise<Failure | undefined> {
  const target = await targetOf(mistake);
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

Deno.test("peer-write finds nothing wrong with the reference as an adapter, also when it is killed", async () => {
  const failure = await failureOf("none", 12);
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
    const failure = await failureOf(mistake, 60);
    assert(signature.test(failure?.signature ?? ""), failure?.signature);
  });
}

Deno.test("the script of a case sends its changes to the adapter", async () => {
  const target = await targetOf("none");
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
    const target = await targetFor(() => new JsonlPeer({ command, atOnce: 1, strict: true }));
    for (let index = 0; index < 5; index++) {
      const { value } = caseAt(target.cases(), { seed: 2, target: target.name }, index);
      await target.run(value, { directory, tools: {} });
    }
    await target.stop?.();
  },
);
