/** Prints the state of every tool, as JSON, for tests that choose the PATH and the permissions. */
import { probeTool, type ToolName } from "../../src/peers/mod.ts";

const TOOLS: readonly ToolName[] = ["qemu-img", "qemu-io", "qemu-nbd", "cryptsetup", "luksdeinfo"];

const states = await Promise.all(
  TOOLS.map(async (tool) => [tool, await probeTool(tool, { timeoutMs: 1_000 })]),
);
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(Object.fromEntries(states))));
