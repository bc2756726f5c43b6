import {
  HarnessError,
  type Pipe,
  type Process,
  ProcessWorker,
  type Worker,
  type WorkerSetup,
} from "../engine/mod.ts";

/** Characters of a worker's standard error that are kept: the last ones. */
const WORDS_MAX = 4096;

/**
 * Starts workers. Each is a process with the permissions that a target needs: it reads files, writes to
 * its own directory, and runs the tools that were found.
 *
 * @param entry the module that calls `supervise`
 */
export function workers(entry: URL): (setup: WorkerSetup) => Worker {
  const deno = denoCommand();
  return (setup) => {
    const child = spawn(deno, [
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-read",
      `--allow-write=${setup.directory}`,
      ...runPermissions(setup),
      ...(setup.profiled === true ? ["--allow-sys"] : []),
      entry.href,
    ], setup.directory);
    return new ProcessWorker(new Child(child), setup);
  };
}

/** Implementations that are fuzzed may be any program, and run others. */
function runPermissions({ tools, settings }: WorkerSetup): string[] {
  if (settings !== undefined) return ["--allow-run"];
  const names = Object.keys(tools);
  return names.length === 0 ? [] : [`--allow-run=${names.join(",")}`];
}

/** The command for Deno: `--allow-run=deno` permits the one on the PATH, which may be another file. */
export function denoCommand(): string {
  const own = Deno.execPath();
  return Deno.permissions.querySync({ name: "run", command: own }).state === "granted"
    ? own
    : "deno";
}

function spawn(
  program: string,
  args: readonly string[],
  directory: string,
): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      // Ctrl-C must not reach the workers and their tools: the main process stops them.
      detached: true,
      // Temporary files of peers go to the folder where the worker may write.
      env: { TMPDIR: directory },
    }).spawn();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HarnessError(`Cannot start a worker: ${reason}`, { cause: error });
  }
}

/** A worker's process. It also ends with its standard input, in case `deno` is a wrapper. */
class Child implements Process {
  readonly output: AsyncIterable<Uint8Array>;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #words: Promise<string>;

  constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.output = child.stdout;
    this.#input = child.stdin.getWriter();
    this.#words = lastWords(child.stderr);
  }

  write(bytes: Uint8Array): void {
    // The end of the process is noticed at its output.
    this.#input.write(bytes).catch(() => {});
  }

  kill(): void {
    this.#input.abort().catch(() => {});
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
  }

  async ended(): Promise<string> {
    const { code, signal } = await this.#child.status;
    const how = signal === null ? `exited with status ${code}` : `was killed by ${signal}`;
    const words = (await this.#words).trim();
    return words === "" ? how : `${how}: ${words}`;
  }
}

async function lastWords(stream: ReadableStream<Uint8Array>): Promise<string> {
  let words = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    words = (words + text).slice(-WORDS_MAX);
  }
  return words;
}

/** The connection of a worker to the main process. */
export function standardPipe(): Pipe {
  return {
    input: Deno.stdin.readable,
    write: (bytes) => {
      for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
    },
  };
}
