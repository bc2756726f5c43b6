import { runTool, TOOL_TIMEOUT_MS, type ToolResult } from "./process.ts";
import { type ToolName, toolVersion } from "./state.ts";

/** How a tool is called and bounded. */
export interface CallOptions {
  /** The program and the arguments that come before all others; the tool on the PATH where absent. */
  readonly command?: readonly string[];
  /** Milliseconds that one call may take. */
  readonly timeoutMs?: number;
}

/** A tool that is started for each question. */
export class Tool {
  readonly command: readonly string[];
  readonly timeoutMs: number;
  readonly #name: ToolName;
  #version: Promise<string> | undefined;

  constructor(name: ToolName, options: CallOptions) {
    this.#name = name;
    this.command = options.command ?? [name];
    this.timeoutMs = options.timeoutMs ?? TOOL_TIMEOUT_MS;
  }

  /** @throws {ToolError} when the tool does not work */
  version(): Promise<string> {
    return this.#version ??= toolVersion(this.#name, { command: this.command });
  }

  /**
   * Runs the tool, in a directory where one is given.
   *
   * @throws {ToolError} when it cannot be started
   */
  run(
    args: readonly string[],
    { directory, patienceMs = Infinity }: { directory?: string; patienceMs?: number } = {},
  ): Promise<ToolResult> {
    const timeoutMs = Math.min(patienceMs, this.timeoutMs);
    const where = directory === undefined ? {} : { directory };
    return runTool([...this.command, ...args], { timeoutMs, ...where });
  }
}
