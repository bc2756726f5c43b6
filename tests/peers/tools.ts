import { PeerError, runTool, withScratch } from "../../src/peers/mod.ts";

/** Runs a test body in an empty directory when the tools are installed; says so when they are not. */
export async function withTools(
  tools: readonly string[],
  body: (directory: string) => Promise<void>,
): Promise<void> {
  for (const tool of tools) {
    try {
      await runTool([tool, "--version"]);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      Deno.stderr.writeSync(new TextEncoder().encode(`not tested: ${tool} is not installed\n`));
      return;
    }
  }
  await withScratch(body);
}

/** Runs a tool that has to succeed. */
export async function make(directory: string, ...command: string[]): Promise<void> {
  const { end, stderr } = await runTool(command, { directory });
  if (end.kind === "exited" && end.code === 0) return;
  throw new Error(`${command.join(" ")}: ${end.kind}: ${stderr}`);
}
