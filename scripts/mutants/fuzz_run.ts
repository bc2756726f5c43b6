import { TextLineStream } from "@std/streams";
import type { Sidecar } from "../../fuzz/engine/mod.ts";
import config from "../../deno.json" with { type: "json" };
import { cpuSeconds } from "./cpu.ts";

/** How a run of the fuzzer is limited. */
export interface RunOptions {
  /** The copy of the project. */
  readonly directory: string;
  readonly seed: number;
  /** Time for finding, as `fuzz --time` has it. */
  readonly seconds: number;
  /** Limits are in processor time, as two workers use it where nothing else runs. */
  readonly byProcessor: boolean;
  /** Time for making the case smaller, after the first failure. Without it, the run goes on to its end. */
  readonly shrinkSeconds?: number;
  /** Failures that the project has without a bug, as `target signature`. */
  readonly known: ReadonlySet<string>;
}

/** A failure as it was reported. */
export interface Reported {
  readonly target: string;
  readonly signature: string;
  /** Bytes that are stored of the files of the case: holes of sparse files do not count. */
  readonly bytes: number;
  /** Edits of the case, or steps of a sequence. */
  readonly edits: number;
  /** What a report shows of the case. */
  readonly text: string;
}

/** What came of a run. */
export interface FuzzRun {
  /** When the first failure was seen, or when the run ended. */
  readonly seconds: number;
  /** Processor time of all processes of the run up to then; absent where it cannot be measured. */
  readonly cpu?: number;
  readonly isFound: boolean;
  readonly cases: number;
  readonly failures: readonly Reported[];
  /** Why the run does not count: it did not start, or a tool does not work. */
  readonly trouble?: string;
}

/** The members of the events of `fuzz --json` that matter here. */
interface FuzzEvent {
  readonly event: string;
  readonly target?: string;
  readonly signature?: string;
  readonly artifact?: string | null;
  readonly counts?: { readonly cases: number };
  readonly shrink?: { readonly complete: boolean };
  readonly end?: string;
  readonly message?: string;
}

const GRACE_MS = 15_000;
const ARTIFACTS = "found";
/** Workers of a run. */
export const WORKERS = 2;
/** A run that is limited by processor time may take this many times as long. */
const PATIENCE = 20;
const POLL_MS = 1000;

/** Runs the default targets on a copy of the project, up to the first failure and a bit more. */
export async function fuzzRun(options: RunOptions): Promise<FuzzRun> {
  const run = new Run(options);
  try {
    return await run.finish();
  } finally {
    run.end();
  }
}

interface Moment {
  readonly seconds: number;
  readonly cpu: Promise<number | undefined>;
}

class Run {
  readonly #options: RunOptions;
  readonly #child: Deno.ChildProcess;
  readonly #started = performance.now();
  readonly #errors: Promise<string>;
  /** When the first failure was seen, or else when the time was over. */
  #first: Moment | undefined;
  #last: Moment | undefined;
  #watching: Promise<void> | undefined;
  #hasEnded = false;
  readonly #cases = new Map<string, number>();
  readonly #failures: Reported[] = [];
  readonly #timers: ReturnType<typeof setTimeout>[] = [];

  constructor(options: RunOptions) {
    this.#options = options;
    const { directory, seed, byProcessor } = options;
    const seconds = options.seconds * (byProcessor ? PATIENCE : 1);
    // The same command as `deno task fuzz`.
    const [program = "deno", ...task] = config.tasks.fuzz.command.split(" ");
    const limits = ["--jobs", `${WORKERS}`, "--time", `${seconds}s`, "--seed", `${seed}`];
    this.#child = new Deno.Command(program, {
      args: [...task, ...limits, "--json", "--artifacts", `${directory}/${ARTIFACTS}`],
      cwd: directory,
      stdout: "piped",
      stderr: "piped",
      // Ctrl-C ends this program, which ends the run.
      detached: true,
    }).spawn();
    this.#errors = new Response(this.#child.stderr).text();
    if (byProcessor) this.#watching = this.#watch(options.seconds * WORKERS);
  }

  /** Ends the run when its processes have used the time for finding, or that for a smaller case. */
  async #watch(seconds: number): Promise<void> {
    let limit = seconds;
    for (let isFound = false; !this.#hasEnded;) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      const used = await cpuSeconds(this.#child.pid) ?? 0;
      if (!isFound && this.#first !== undefined) {
        isFound = true;
        limit = used + (this.#options.shrinkSeconds ?? Infinity) * WORKERS;
      }
      if (used < limit) continue;
      if (!isFound) this.#last = { seconds: this.#seconds(), cpu: Promise.resolve(used) };
      return this.#stop();
    }
  }

  async finish(): Promise<FuzzRun> {
    const lines = this.#child.stdout
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) this.#hear(JSON.parse(line) as FuzzEvent);
    this.#hasEnded = true;
    await this.#watching;
    const { seconds, cpu: used } = this.#first ?? this.#last ??
      { seconds: this.#seconds(), cpu: undefined };
    const cpu = await used;
    const { code } = await this.#child.status;
    const isFound = this.#first !== undefined;
    const unable = code > 1 && !isFound && code < 128;
    return {
      seconds,
      ...(cpu === undefined ? {} : { cpu }),
      isFound,
      cases: [...this.#cases.values()].reduce((sum, count) => sum + count, 0),
      failures: this.#failures,
      ...(unable ? { trouble: `exit status ${code}: ${(await this.#errors).trim()}` } : {}),
    };
  }

  /** Ends the process, whatever it does. The workers end with it. */
  end(): void {
    this.#hasEnded = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#signal("SIGKILL");
    try {
      Deno.removeSync(`${this.#options.directory}/${ARTIFACTS}`, { recursive: true });
    } catch {
      // Nothing was found.
    }
  }

  #seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  #signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch {
      // It has ended.
    }
  }

  #hear(event: FuzzEvent): void {
    const { target = "", counts } = event;
    const isNew = !this.#isKnown(target, event.signature ?? "");
    if (counts !== undefined && event.event !== "finished") this.#cases.set(target, counts.cases);
    if (event.event === "found" && isNew) this.#meet();
    if (event.event === "target" && event.end === "broken") {
      this.#meet();
      const signature = `broken: ${event.message}`;
      this.#failures.push({ target, signature, bytes: 0, edits: 0, text: "" });
    }
    if (event.event !== "failure" || !isNew) return;
    this.#meet();
    this.#failures.push(reportedIn(event));
    const { shrinkSeconds } = this.#options;
    if (event.shrink?.complete === true && shrinkSeconds !== undefined) this.#stop();
  }

  #isKnown(target: string, signature: string): boolean {
    return this.#options.known.has(`${target} ${signature}`);
  }

  #meet(): void {
    if (this.#first !== undefined) return;
    this.#first = { seconds: this.#seconds(), cpu: cpuSeconds(this.#child.pid) };
    const { shrinkSeconds, byProcessor } = this.#options;
    if (shrinkSeconds === undefined || byProcessor) return;
    this.#timers.push(setTimeout(() => this.#stop(), shrinkSeconds * 1000));
  }

  /** The run ends with a report of what it has found. */
  #stop(): void {
    this.#signal("SIGINT");
    this.#timers.push(setTimeout(() => this.#signal("SIGKILL"), GRACE_MS));
  }
}

function reportedIn({ target = "", signature = "", artifact }: FuzzEvent): Reported {
  if (typeof artifact !== "string") return { target, signature, bytes: 0, edits: 0, text: "" };
  const sidecar = JSON.parse(Deno.readTextFileSync(`${artifact}.json`)) as Sidecar;
  const { description, excerpt, about } = sidecar;
  return {
    target,
    signature,
    bytes: bytesOf(artifact, sidecar),
    edits: editsIn(sidecar.case),
    text: [description, excerpt, about?.path ?? ""].join("\n"),
  };
}

function bytesOf(artifact: string, { files }: Sidecar): number {
  const { size = 0, blocks } = Deno.statSync(artifact);
  const image = Math.min(size, blocks === null ? size : blocks * 512);
  const others = files.filter(({ storedAs }) => storedAs === undefined);
  return image + others.reduce((sum, file) => sum + storedIn(file), 0);
}

function storedIn({ size, extents = [] }: Sidecar["files"][number]): number {
  const stored = extents.reduce((sum, { gzip }) => sum + unzippedSize(gzip), 0);
  return Math.min(size, stored);
}

/** The last four bytes of gzip are the size of the content. */
function unzippedSize(gzip: string): number {
  const bytes = Uint8Array.fromBase64(gzip);
  return new DataView(bytes.buffer).getUint32(bytes.length - 4, true);
}

/** The edits of all variants of a case, or the steps of a sequence. */
function editsIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return Object.entries(value).reduce((sum, [name, member]) => {
    const counts = (name === "edits" || name === "steps") && Array.isArray(member);
    return sum + (counts ? member.length : editsIn(member));
  }, 0);
}
