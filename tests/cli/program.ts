/**
 * Runs command lines for tests. Starting Deno takes longer than most verbs do, so one process per test
 * file runs all command lines; see `program_server.ts` for what isolates them.
 */

import config from "../../deno.json" with { type: "json" };
import { TextLineStream } from "@std/streams";

/** What the program left behind. */
export interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command line, as the server reads it. */
export interface CommandLine {
  readonly directory: string;
  readonly args: readonly string[];
  readonly input: string;
}

const ROOT = new URL("../../", import.meta.url).pathname;

/** How long any call may take: an image that hangs it is a failure. */
const TIMEOUT_MS = 60_000;

/** The words of the task, up to the script. */
function taskWords(): string[] {
  return config.tasks.diskproof.command.split(" ").slice(1, -1);
}

/** Runs `deno task diskproof` in a process of its own, with the permissions of the task, in a directory. */
export async function spawnDiskproof(
  directory: string,
  args: readonly string[],
  input?: string,
): Promise<Run> {
  const child = new Deno.Command("deno", {
    args: [...taskWords(), `${ROOT}scripts/diskproof.ts`, ...args],
    cwd: directory,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input ?? "")).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const decoder = new TextDecoder();
  return { status: code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** The process that runs the command lines of a test file. */
class Server {
  readonly #child: Deno.ChildProcess;
  readonly #requests: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: ReadableStreamDefaultReader<string>;
  /** Command lines run one after the other: they have one working directory. */
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    this.#child = new Deno.Command("deno", {
      args: [...taskWords(), `${ROOT}tests/cli/program_server.ts`],
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#requests = this.#child.stdin.getWriter();
    this.#answers = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  run(line: CommandLine): Promise<Run> {
    const run = this.#last.then(() => this.#ask(line));
    this.#last = run.catch(() => {});
    return run;
  }

  async #ask(line: CommandLine): Promise<Run> {
    const timer = setTimeout(() => this.stop(), TIMEOUT_MS);
    try {
      await this.#requests.write(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
      const { value } = await this.#answers.read();
      if (value === undefined) throw new Error(`no answer: ${line.args.join(" ")}`);
      return JSON.parse(value);
    } finally {
      clearTimeout(timer);
    }
  }

  stop(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }
}

// A test must not leave a process behind, so it starts before the first one.
const server = new Server();
addEventListener("unload", () => server.stop());

/** Runs `deno task diskproof` with the permissions of the task, in a directory. */
export function diskproof(directory: string, args: readonly string[], input = ""): Promise<Run> {
  return server.run({ directory, args, input });
}
