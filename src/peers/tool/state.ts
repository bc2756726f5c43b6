import { runTool, ToolError, type ToolResult, type ToolTrouble } from "./process.ts";

/** What a probe found out about a tool. */
export type ToolState =
  | { readonly state: "works"; readonly version: string }
  | {
    readonly state: ToolTrouble;
    /** What is wrong, in one line. */
    readonly message: string;
  };

/** The tools that diskproof can compare with. */
export type ToolName = "qemu-img" | "qemu-io" | "qemu-nbd" | "cryptsetup" | "luksdeinfo";

/** How to query a tool for its version, and the pattern of the version in its output. */
interface VersionQuery {
  readonly option: string;
  readonly version: RegExp;
}

const QUERIES: Readonly<Record<ToolName, VersionQuery>> = {
  "qemu-img": { option: "--version", version: /\bversion (\d+(?:\.\d+)*)/ },
  "qemu-io": { option: "--version", version: /\bversion (\d+(?:\.\d+)*)/ },
  "qemu-nbd": { option: "--version", version: /\bqemu-nbd (\d+(?:\.\d+)*)/ },
  cryptsetup: { option: "--version", version: /\bcryptsetup (\d+(?:\.\d+)*)/ },
  luksdeinfo: { option: "-V", version: /\bluksdeinfo (\d+)/ },
};

/** Default time limit of a probe, in milliseconds. */
const PROBE_TIMEOUT_MS = 10_000;
/** Characters of a tool's output that are part of a message. */
const PRINTED_MAX = 200;

/** How a tool is called, where that is not by its name alone, and bounded. */
export interface ProbeOptions {
  /** The program and the arguments that come before any other. */
  readonly command?: readonly string[];
  /** Milliseconds after which the tool is killed. */
  readonly timeoutMs?: number;
}

/**
 * Finds out whether a tool works, by having it print its version. Never throws: a tool that is there
 * and does not work is `broken`, never `missing`.
 *
 * ```ts
 * const state = await probeTool("qemu-img");
 * console.log(state.state === "works" ? state.version : state.message);
 * ```
 */
export async function probeTool(tool: ToolName, options: ProbeOptions = {}): Promise<ToolState> {
  const { command = [tool], timeoutMs = PROBE_TIMEOUT_MS } = options;
  const { option, version } = QUERIES[tool];
  const call = [...command, option];
  try {
    return stateOf(await runTool(call, { timeoutMs }), call.join(" "), version);
  } catch (error) {
    if (error instanceof ToolError) return { state: error.trouble, message: error.message };
    throw error;
  }
}

/**
 * The version of a tool that has to work.
 *
 * @throws {ToolError} when it does not
 */
export async function toolVersion(tool: ToolName, options: ProbeOptions = {}): Promise<string> {
  const found = await probeTool(tool, options);
  if (found.state === "works") return found.version;
  throw new ToolError(found.state, found.message);
}

function stateOf(result: ToolResult, call: string, pattern: RegExp): ToolState {
  const { end } = result;
  const broken = (what: string): ToolState => {
    return { state: "broken", message: `${call} ${what}${printedBy(result)}` };
  };
  switch (end.kind) {
    case "timed-out":
      return { state: "hangs", message: `${call} did not finish within ${end.timeoutMs / 1000} s` };
    case "crashed":
      return broken(`was killed by ${end.signal}`);
    case "flooded":
      return broken(`printed more than ${end.limit} bytes`);
  }
  if (end.code !== 0) return broken(`exited with status ${end.code}`);
  const version = pattern.exec(result.stdout)?.[1];
  return version === undefined ? broken("printed no version") : { state: "works", version };
}

/** The first words of a tool's output, to append to a message. */
function printedBy({ stdout, stderr }: ToolResult): string {
  const text = (stderr.trim() || stdout.trim()).slice(0, PRINTED_MAX).split("\n", 1)[0] ?? "";
  return text === "" ? "" : `: ${text}`;
}
