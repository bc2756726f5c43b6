import { assert } from "@std/assert";
import { runTool, type ToolResult } from "../../src/peers/mod.ts";
import type { RuleId } from "../../src/rules/mod.ts";

/** Something that qemu is asked to do, in a directory of its own. */
export interface Operation {
  readonly rule: RuleId;
  readonly about: string;
  readonly run: (directory: string) => Promise<void>;
}

/** Runs a tool of qemu in a directory. */
export function qemu(directory: string, ...command: readonly string[]): Promise<ToolResult> {
  return runTool(command, { directory });
}

/** The exit status of a tool, which must have one. */
export function codeOf({ end, stderr }: ToolResult): number {
  assert(end.kind === "exited", `${JSON.stringify(end)}: ${stderr}`);
  return end.code;
}
