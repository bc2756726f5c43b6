import { Buffer } from "node:buffer";
import { drained, endOf, killProcess, type RunningTool, startTool } from "../tool/process.ts";

/** How a process ended: of its own accord, or killed for a reason. */
export type LineEnd =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "crashed"; readonly signal: string }
  /** It lives, and has closed its standard output. */
  | { readonly kind: "silent" }
  | { readonly kind: "timed-out"; readonly timeoutMs: number }
  | { readonly kind: "flooded"; readonly limit: number }
  | { readonly kind: "over-memory"; readonly message: string }
  | { readonly kind: "closed" };

/** The answer to a line, or how the process ended instead. */
export type LineReply =
  /** `more`: other output came with the line. */
  | { readonly line: Uint8Array; readonly more: boolean }
  /** `printed` is the start of a line without its end. */
  | { readonly end: LineEnd; readonly stderr: string; readonly printed: Uint8Array };

/** Bytes of a line beyond which the process is killed. */
export const LINE_LIMIT = 64 * 1024 * 1024;
/** The last bytes of standard error that are kept. */
const STDERR_LIMIT = 16 * 1024;
const LINE_END = 0x0a;
/** How long a process may live after its input or its output was closed, in milliseconds. */
const SOON_MS = 500;
const ENCODER = new TextEncoder();

/**
 * A process that answers each line of its standard input with a line. The first line of output that
 * comes is the answer to the first line that waits for one.
 */
export class LineProcess {
  readonly #child: RunningTool;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #outputs: readonly ReadableStreamDefaultReader<Uint8Array>[];
  readonly #ended: Promise<LineEnd>;
  #end: LineEnd | undefined;
  #parts: Uint8Array[] = [];
  #size = 0;
  #stderr = new Uint8Array();
  #hasStray = false;
  readonly #waiting: ((line: Uint8Array | undefined) => void)[] = [];

  /** @throws {ToolError} when the process cannot be started */
  constructor(command: readonly string[]) {
    this.#child = startTool(command, { inheritEnvironment: true });
    this.#input = this.#child.stdin.getWriter();
    this.#input.closed.catch(() => {});
    const [stdout, stderr] = [this.#child.stdout.getReader(), this.#child.stderr.getReader()];
    this.#outputs = [stdout, stderr];
    const heard = this.#listen(stdout);
    const complained = this.#collect(stderr);
    this.#ended = this.#child.status.then(async (status) => {
      // Another process may still have the output open.
      await drained([heard, complained]);
      await Promise.all(this.#outputs.map((it) => it.cancel()));
      this.#end ??= endOf(status) as LineEnd;
      while (this.#waiting.length > 0) this.#answer(undefined);
      return this.#end;
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Whether it can be asked: it lives, and has printed nothing but answers. */
  get isUsable(): boolean {
    return this.#end === undefined && !this.#hasStray;
  }

  /** What it printed beside its answers, since the last one. */
  get stray(): Uint8Array {
    return this.#hasStray ? Buffer.concat(this.#parts) : new Uint8Array();
  }

  /** Writes a line, and waits for one. */
  async ask(text: string, timeoutMs: number): Promise<LineReply> {
    this.#stderr = new Uint8Array();
    const answer = new Promise<Uint8Array | undefined>((resolve) => this.#waiting.push(resolve));
    const timer = setTimeout(() => this.kill({ kind: "timed-out", timeoutMs }), timeoutMs);
    this.#input.write(ENCODER.encode(`${text}\n`)).catch(() => {});
    const line = this.#end === undefined ? await answer : undefined;
    clearTimeout(timer);
    if (line !== undefined) return { line, more: this.#hasStray };
    const end = await this.#ended;
    const stderr = new TextDecoder().decode(this.#stderr).trim();
    return { end, stderr, printed: Buffer.concat(this.#parts) };
  }

  /** Ends the process at once, for a reason. */
  kill(reason: LineEnd): void {
    this.#end ??= reason;
    killProcess(this.#child);
  }

  /** Ends the input of the process, and returns whether it ends then. */
  async finish(): Promise<boolean> {
    this.#input.close().catch(() => {});
    return await this.#endsWithin(SOON_MS);
  }

  /** Ends the process: by the end of its input, if it obeys. */
  async close(): Promise<void> {
    if (this.isUsable) await this.finish();
    this.kill({ kind: "closed" });
    await this.#input.abort().catch(() => {});
    await this.#ended;
  }

  async #endsWithin(ms: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const expiry = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), ms);
    });
    const isOver = await Promise.race([this.#child.status.then(() => true), expiry]);
    clearTimeout(timer);
    return isOver;
  }

  async #listen(stdout: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    for (;;) {
      const { done, value } = await stdout.read();
      if (done) break;
      this.#hear(value);
    }
    if (this.#end !== undefined) return;
    // It is about to end, in most cases.
    if (!await this.#endsWithin(SOON_MS)) this.kill({ kind: "silent" });
  }

  #hear(chunk: Uint8Array): void {
    const at = chunk.indexOf(LINE_END);
    const isExpected = this.#waiting.length > 0;
    if (at < 0 || !isExpected) {
      this.#parts.push(chunk);
      this.#size += chunk.length;
      this.#hasStray = !isExpected;
      if (this.#size > LINE_LIMIT) this.kill({ kind: "flooded", limit: LINE_LIMIT });
      return;
    }
    const parts = [...this.#parts, chunk.subarray(0, at)];
    const rest = chunk.subarray(at + 1);
    this.#parts = [];
    this.#size = 0;
    this.#answer(parts.length === 1 ? parts[0] : Buffer.concat(parts));
    if (rest.length > 0) this.#hear(rest);
  }

  #answer(line: Uint8Array | undefined): void {
    this.#waiting.shift()?.(line);
  }

  async #collect(stderr: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    for (;;) {
      const { done, value } = await stderr.read();
      if (done) return;
      this.#stderr = Buffer.concat([this.#stderr, value]).subarray(-STDERR_LIMIT);
    }
  }
}
