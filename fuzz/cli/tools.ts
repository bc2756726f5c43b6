import {
  PeerError,
  probeTool,
  ToolError,
  type ToolName,
  type ToolState,
} from "../../src/peers/mod.ts";
import type { Target, Tools } from "../engine/mod.ts";

/** The tools that targets need or use, as found at the start of a run. */
export type Found = ReadonlyMap<ToolName, ToolState>;

/** A tool that is not installed, and the consequences. */
export interface MissingTool {
  readonly tool: ToolName;
  /** Names of targets that need it. */
  readonly skipped: readonly string[];
  /** Names of targets that run without it. */
  readonly notCompared: readonly string[];
}

/** Probes each tool that a target needs or uses, once. */
export async function findTools(targets: readonly Target[]): Promise<Found> {
  const names = new Set(targets.flatMap(toolsOf));
  return new Map(
    await Promise.all([...names].map(async (name) => [name, await probeTool(name)] as const)),
  );
}

function toolsOf({ needs = [], uses = [] }: Target): readonly ToolName[] {
  return [...needs, ...uses];
}

/** The versions of the tools that work. */
export function workingTools(found: Found): Tools {
  return Object.fromEntries(
    [...found].flatMap(([name, tool]) => tool.state === "works" ? [[name, tool.version]] : []),
  );
}

/** The tools that are not installed. */
export function missingTools(found: Found, targets: readonly Target[]): MissingTool[] {
  const named = (chosen: readonly Target[]) => chosen.map(({ name }) => name);
  return [...found].flatMap(([tool, state]) =>
    state.state !== "missing" ? [] : [{
      tool,
      skipped: named(targets.filter(({ needs }) => needs?.includes(tool))),
      notCompared: named(targets.filter(({ uses }) => uses?.includes(tool))),
    }]
  );
}

/** Lists names as `a, b and c`. */
const LIST = new Intl.ListFormat("en-GB");

/** One line about a missing tool of a run that goes on, or stops for it. */
export function missingLine(
  { tool, skipped, notCompared }: MissingTool,
  { stops = false }: { readonly stops?: boolean } = {},
): string {
  const one = (names: readonly string[]) => names.length === 1;
  const skipping = stops ? "cannot run" : one(skipped) ? "is skipped" : "are skipped";
  const consequences = [
    skipped.length === 0 ? [] : `${LIST.format(skipped)} ${skipping}`,
    notCompared.length === 0
      ? []
      : `${LIST.format(notCompared)} ${one(notCompared) ? "does" : "do"} not compare with it`,
  ];
  return `${tool} is not installed: ${consequences.flat().join(", ")}`;
}

/**
 * Makes sure that no run passes because a tool does not work.
 *
 * @param required whether a tool must be installed
 * @throws {PeerError} when a tool is installed and does not work, or is missing and required
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
  const lines = [
    ...broken.map(({ message }) => message),
    ...missing.map((tool) => missingLine(tool, { stops: true })),
  ];
  if (lines.length === 0) return;
  const [first] = broken;
  if (first !== undefined) throw new ToolError(first.state, lines.join("; "));
  throw new PeerError(lines.join("; "));
}
