/**
 * Tests that compare with installed tools. Where a tool is missing or does not work they are ignored,
 * and each prints why. With `DISKPROOF_REQUIRE_TOOLS=1` in the environment they fail instead, so that
 * no machine that is meant to have the tools passes without them.
 */

import {
  isOlder,
  probeTool,
  runTool,
  type ToolName,
  type ToolState,
  withScratch,
} from "../src/peers/mod.ts";

/** Programs that are not peers. */
type Other = "tar" | "node" | "npm";
type Tool = ToolName | Other;

/** A tool, or a tool from a version on, as `qemu-img 9.0`. */
export type Need = Tool | `${ToolName | "node"} ${number}.${number}`;

/** What most tests need. */
export const QEMU: readonly Need[] = ["qemu-img", "qemu-io"];

const REQUIRED = Deno.env.get("DISKPROOF_REQUIRE_TOOLS") === "1";

const TOOLS: readonly ToolName[] = ["qemu-img", "qemu-io", "qemu-nbd", "cryptsetup", "luksdeinfo"];

const states = new Map<string, ToolState>(
  await Promise.all([
    ...TOOLS.map(async (tool) => [tool, await probeTool(tool)] as const),
    probeOther("tar").then((state) => ["tar", state] as const),
  ]),
);

/** Looks for programs that few tests need, before `liveTest` is called. */
export async function alsoProbe(...tools: readonly Other[]): Promise<void> {
  for (const tool of tools) states.set(tool, await probeOther(tool));
}

async function probeOther(tool: Other): Promise<ToolState> {
  try {
    const { end, stdout } = await runTool([tool, "--version"]);
    const [version = "0"] = /\d+(\.\d+)+/.exec(stdout) ?? [];
    if (end.kind === "exited" && end.code === 0) return { state: "works", version };
    return { state: "broken", message: `${tool} --version failed` };
  } catch (error) {
    return { state: "missing", message: (error as Error).message };
  }
}

/** Why a need is not met: `old` where the tool works and is too old. */
function unmet(need: Need): { readonly message: string; readonly old: boolean } | undefined {
  const [tool = "", since] = need.split(" ");
  const found = states.get(tool);
  if (found?.state !== "works") return { message: found?.message ?? need, old: false };
  if (since === undefined || !isOlder(found.version, since)) return undefined;
  return { message: `${need} or later is needed, and this is ${found.version}`, old: true };
}

/** The version of a tool that a live test needs, such as `7.2.22`. */
export function versionOf(tool: ToolName): string {
  const found = states.get(tool);
  return found?.state === "works" ? found.version : "0";
}

/** A test that needs installed tools, and gets an empty directory. */
export function liveTest(
  { needs }: { readonly needs: readonly Need[] },
  name: string,
  fn: (directory: string) => Promise<void>,
): void {
  const reasons = needs.map(unmet).filter((reason) => reason !== undefined);
  const [reason] = reasons;
  const missing = reasons.find(({ old }) => !old);
  if (REQUIRED && missing !== undefined) {
    Deno.test(name, () => Promise.reject(new Error(`DISKPROOF_REQUIRE_TOOLS: ${missing.message}`)));
    return;
  }
  // deno-lint-ignore no-console
  if (reason !== undefined) console.log(`skipped: ${name}: ${reason.message}`);
  // Deno lets no task read below /dev.
  Deno.test({ name, ignore: reason !== undefined, fn: () => withScratch(fn, "/tmp") });
}
