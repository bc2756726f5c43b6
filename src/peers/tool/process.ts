import { Buffer } from "node:buffer";
import { PeerError } from "../peer.ts";

/** How a tool ended. */
export type ToolEnd =
  | { readonly kind: "exited"; readonly code: number }
  /** Died of a signal that was not ours. */
  | { readonly kind: "crashed"; readonly signal: string }
  /** Killed because its time was up. */
  | { readonly kind: "timed-out"; readonly timeoutMs: number }
  /** Killed because it printed more than the caller accepts. */
  | { readonly kind: "flooded"; readonly limit: number };

/** Why a tool cannot be used. */
export type ToolTrouble =
  /** No such program is on the PATH. */
  | "missing"
  /** Deno has no permission to run it. */
  | "denied"
  /** It is installed, but does not start or does not work. */
  | "broken"
  /** It did not end within its time limit. */
  | "hangs";

/** A tool that cannot be used, and why. */
export class ToolError extends PeerError {
  readonly trouble: ToolTrouble;

  constructor(trouble: ToolTrouble, message: string) {
    super(message);
    this.name = "ToolError";
    this.trouble = trouble;
  }
}

/** The result of running a tool. */
export interface ToolResult {
  /** How the process ended. */
  readonly end: ToolEnd;
  /** What it printed to standard output. */
  readonly stdout: string;
  /** The bytes of standard output where not all of them may be UTF-8. */
  readonly stdoutBytes?: Uint8Array;
  /** What it printed to standard error. */
  readonly stderr: string;
}

/** The options for running a tool. */
export interface ToolOptions {
  /** Working directory of the tool; the caller's where absent. */
  readonly directory?: string;
  /** Milliseconds after which the tool is killed. */
  readonly timeoutMs?: number;
  /** Bytes of standard output after which the tool is killed. */
  readonly stdoutLimit?: number;
  /**
   * Hands the tool the caller's environment. Without it a tool sees `LC_ALL=C` and nothing else, so
   * that answers do not depend on the caller's environment.
   */
  readonly inheritEnvironment?: boolean;
}

/** Default of `timeoutMs`. */
export const TOOL_TIMEOUT_MS = 20_000;
/** Default of `stdoutLimit`. */
export const TOOL_STDOUT_LIMIT = 64 * 1024 * 1024;
/** Messages are cut after so many bytes: a hostile image can make a tool repeat one for ever. */
const STDERR_LIMIT = 64 * 1024;
/** How long output may stay open after its process has ended, as it does when a child inherited it. */
const DRAIN_MS = 1_000;

/**
 * Runs a tool to its end, without a shell and without standard input.
 *
 * @throws {ToolError} when the tool cannot be started
 */
export async function runTool(
  command: readonly string[],
  options: ToolOptions = {},
): Promise<ToolResult> {
  const timeoutMs = options.timeoutMs ?? TOOL_TIMEOUT_MS;
  const limit = options.stdoutLimit ?? TOOL_STDOUT_LIMIT;
  const child = spawn(command, { ...options, stdin: "null" });
  let killedFor: ToolEnd | undefined;
  const kill = (reason: ToolEnd) => {
    killedFor ??= reason;
    killProcess(child);
  };
  const timer = setTimeout(() => kill({ kind: "timed-out", timeoutMs }), timeoutMs);
  const stdout = new Collector(child.stdout, limit, () => kill({ kind: "flooded", limit }));
  const stderr = new Collector(child.stderr, STDERR_LIMIT, () => {});
  try {
    const status = await child.status;
    await drained([stdout.done, stderr.done]);
    await Promise.all([stdout.cancel(), stderr.cancel()]);
    const end = killedFor ?? endOf(status);
    const text = textOf(stdout.bytes);
    return {
      end,
      stdout: text,
      ...(text.includes(REPLACEMENT) ? { stdoutBytes: stdout.bytes } : {}),
      stderr: textOf(stderr.bytes),
    };
  } finally {
    clearTimeout(timer);
  }
}

/** A tool that is spoken to through its standard input. */
export type RunningTool = Deno.ChildProcess;

/**
 * Starts a tool that reads commands from its standard input. The caller must end it.
 *
 * @throws {ToolError} when the tool cannot be started
 */
export function startTool(command: readonly string[], options: ToolOptions = {}): RunningTool {
  return spawn(command, { ...options, stdin: "piped" });
}

/** Ends a process at once, unless it has ended. */
export function killProcess(child: RunningTool): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended in the meantime.
  }
}

/** How a process ended, by its status. */
export function endOf(status: Deno.CommandStatus): ToolEnd {
  return status.signal === null
    ? { kind: "exited", code: status.code }
    : { kind: "crashed", signal: status.signal };
}

interface SpawnOptions extends ToolOptions {
  readonly stdin: "null" | "piped";
}

function spawn(command: readonly string[], options: SpawnOptions): RunningTool {
  const [program, ...args] = command;
  if (program === undefined) throw new PeerError("Cannot start a tool: its command is empty");
  try {
    return new Deno.Command(program, {
      args,
      stdin: options.stdin,
      stdout: "piped",
      stderr: "piped",
      clearEnv: options.inheritEnvironment !== true,
      env: { LC_ALL: "C" },
      ...(options.directory === undefined ? {} : { cwd: options.directory }),
    }).spawn();
  } catch (error) {
    throw startError(program, error);
  }
}

function startError(program: string, error: unknown): ToolError {
  if (error instanceof Deno.errors.NotCapable) {
    const message = `Deno has no permission to run ${program} (add it to --allow-run)`;
    return new ToolError("denied", message);
  }
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof Deno.errors.NotFound) {
    if (!isThere(program, reason)) {
      const where = program.includes("/") ? "there is no such file" : "it is not on the PATH";
      return new ToolError("missing", `Cannot start ${program}: ${where}`);
    }
    const why = "its interpreter or working directory is missing";
    return new ToolError("broken", `Cannot start ${program}: ${why}: ${reason}`);
  }
  return new ToolError("broken", `Cannot start ${program}: ${reason}`);
}

/**
 * Whether the file of a program that was "not found" exists: then its interpreter or its working
 * directory does not. Deno's message has the full path of a program that it found on the PATH.
 */
function isThere(program: string, reason: string): boolean {
  if (!program.includes("/")) return !reason.includes(`'${program}'`);
  try {
    return Deno.statSync(program).isFile;
  } catch {
    return false;
  }
}

/** Takes in a stream up to a limit and reads on, without keeping anything, until it ends. */
class Collector {
  readonly done: Promise<void>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #chunks: Uint8Array[] = [];

  constructor(stream: ReadableStream<Uint8Array>, limit: number, onLimit: () => void) {
    this.#reader = stream.getReader();
    this.done = this.#collect(limit, onLimit);
  }

  async #collect(limit: number, onLimit: () => void): Promise<void> {
    let room = limit;
    for (;;) {
      const { done, value } = await this.#reader.read();
      if (done) return;
      if (room > 0) this.#chunks.push(value.subarray(0, room));
      if (value.length > room) onLimit();
      room = Math.max(0, room - value.length);
    }
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
    await this.done;
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }
}

/** The character for bytes that are not UTF-8. */
const REPLACEMENT = "\ufffd";

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Waits for the output of a process that has ended, but not for another process that has it open. */
export async function drained(outputs: readonly Promise<void>[]): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expiry = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, DRAIN_MS);
  });
  await Promise.race([Promise.allSettled(outputs), expiry]);
  clearTimeout(timer);
}
