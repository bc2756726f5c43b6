import { assert } from "@std/assert";
import { Failure, type Target } from "../../../fuzz/engine/mod.ts";
import { caseAt } from "../../../fuzz/engine/random.ts";
import { peerTargets } from "../../../fuzz/peer/mod.ts";
import { JsonlPeer, withScratch } from "../../../src/peers/mod.ts";

const PERMISSIONS = ["--quiet", "--no-prompt", "--no-check", "--allow-read", "--allow-write=/tmp"];

/** The target of this name for an adapter that a command starts, and that is called `text`. */
export async function targetFor(
  name: string,
  command: readonly string[],
  text = "jsonl:adapter",
): Promise<Target> {
  const open = () => new JsonlPeer({ command, atOnce: 1, strict: true });
  const peer = open();
  const description = await peer.describe();
  await peer.close();
  const under = { text, description, open };
  const target = peerTargets([under]).find((target) => target.name === name);
  assert(target !== undefined);
  return target;
}

/** How to start an adapter in this folder, which makes a mistake. */
export function adapterWith(file: string, mistake: string): string[] {
  return ["deno", "run", ...PERMISSIONS, new URL(file, import.meta.url).pathname, mistake];
}

/** Runs cases up to the first failure. */
export async function failureOf(target: Target, runs: number): Promise<Failure | undefined> {
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
