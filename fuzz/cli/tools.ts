import {
  PeerError,
  probeTool,
  ToolError,
  type ToolName,
  type ToolState,
} from "../../src/peers/mod.ts";
import type { Target, Tools } from "../engine/mod.ts";

/** The tools that targets could compare with, as they were found at the start of a run. */
export type Found = ReadonlyMap<ToolName, ToolState>;

/** A tool that is not installed, and what that is at the expense of. */
export interface MissingTool {
  readonly tool: ToolName;
  /** Why, in one line. */
  readonly message: string;
  /** Names of the targets that do not run without it. */
  readonly skipped: readonly string[];
  /** Names of the targets that run without comparing with it. */
  readonly notCompared: readonly string[];
}

/** Looks once for each tool that one of the targets could use. */
export async function findTools(targets: readonly Target[]): Promise<Found> {
  const names = new Set(targets.flatMap(toolsOf));
  return new Map(
    await Promise.all([...names].map(async (name) => [name, await probeTool(name)] as const)),
  );
}

function toolsOf({ needs = [], uses = [] }: Target): readonly ToolName[] {
  return [...needs, ...uses];
}

/** The versions of those that work. */
export function workingTools(found: Found): Tools {
  return Object.fromEntries(
    [...found].flatMap(([name, tool]) => tool.state === "works" ? [[name, tool.version]] : []),
  );
}

/** What the targets go without, tool by tool. */
export function missingTools(found: Found, targets: readonly Target[]): MissingTool[] {
  const named = (chosen: readonly Target[]) => chosen.map(({ name }) => name);
  return [...found].flatMap(([tool, state]) =>
    state.state !== "missing" ? [] : [{
      tool,
      message: state.message,
      skipped: named(targets.filter(({ needs }) => needs?.includes(tool))),
      notCompared: named(targets.filter(({ uses }) => uses?.includes(tool))),
    }]
  );
}

/** One line about a missing tool. */
export function missingLine({ message, skipped, notCompared }: MissingTool): string {
  const losses = [
    skipped.length === 0 ? undefined : `skipped: ${skipped.join(", ")}`,
    notCompared.length === 0 ? undefined : `not compared with: ${notCompared.join(", ")}`,
  ].filter((loss) => loss !== undefined);
  return `${message}; ${losses.join("; ")}`;
}

/**
 * Makes sure that no run is green for the lack of a tool. A tool that is there and does not work is
 * trouble whatever was selected; a missing one is where a target that was asked for by name needs it.
 *
 * @throws {PeerError} with all that is wrong, in one line
 */
export function requireTools(
  found: Found,
  targets: readonly Target[],
  required: (tool: ToolName) => boolean,
): void {
  const broken = [...found.values()].flatMap((state) =>
    state.state === "works" || state.state === "missing" ? [] : [state]
  );
  const missing = missingTools(found, targets).filter(({ tool }) => required(tool));
  const lines = [...broken.map(({ message }) => message), ...missing.map(missingLine)];
  if (lines.length === 0) return;
  const [first] = broken;
  if (first !== undefined) throw new ToolError(first.state, lines.join("; "));
  throw new PeerError(lines.join("; "));
}
