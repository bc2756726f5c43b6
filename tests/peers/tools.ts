import { runTool } from "../../src/peers/mod.ts";

/** Runs a tool that must succeed. */
export async function make(directory: string, ...command: string[]): Promise<void> {
  const { end, stderr } = await runTool(command, { directory });
  if (end.kind === "exited" && end.code === 0) return;
  throw new Error(`${command.join(" ")}: ${end.kind}: ${stderr}`);
}
