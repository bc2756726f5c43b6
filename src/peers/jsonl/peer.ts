import {
  type Session,
  type SessionOptions,
  SessionPeer,
  type SessionReply,
} from "../adapter/session.ts";
import { malformed, type Members, parseJson, ShapeError } from "../answers.ts";
import type { Outcome } from "../peer.ts";
import { MemoryMeter } from "./memory.ts";
import { LINE_LIMIT, type LineEnd, LineProcess, type LineReply } from "./process.ts";

/** How an adapter is called and bounded. */
export interface JsonlOptions extends SessionOptions {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** Bytes of resident memory beyond which an adapter is ended, where the system tells. */
  readonly memoryLimit?: number;
}

/**
 * An adapter that lives long: a request per line on its standard input, an answer per line on its
 * standard output. docs/adapter.md has the protocol.
 *
 * ```ts
 * const peer = new JsonlPeer({ command: ["./my-adapter"] });
 * const info = await peer.info({ path: "disk.qcow2" });
 * await peer.close();
 * ```
 */
export class JsonlPeer extends SessionPeer {
  readonly #options: JsonlOptions;
  readonly #meter = new MemoryMeter();
  readonly #peaks = { bytes: 0 };

  /** A peer that starts an adapter at the first question. */
  constructor(options: JsonlOptions) {
    super(options.command.join(" "), options);
    this.#options = options;
  }

  /** The most resident memory that an adapter had; known where there is a limit. */
  get peakBytes(): number | undefined {
    return this.#peaks.bytes === 0 ? undefined : this.#peaks.bytes;
  }

  /** Ends the adapters, which have to be idle. */
  override async close(): Promise<void> {
    await super.close();
    await this.#meter.close();
  }

  /** Starts an adapter. */
  protected override start(): Session {
    const { command, memoryLimit } = this.#options;
    const process = new LineProcess(command);
    return new LineSession(process, {
      peakOf: memoryLimit === undefined ? undefined : async () => {
        const bytes = await this.#meter.peakBytes(process.pid) ?? 0;
        this.#peaks.bytes = Math.max(this.#peaks.bytes, bytes);
        return bytes > memoryLimit ? `${bytes} bytes of memory (limit: ${memoryLimit})` : undefined;
      },
    });
  }
}

/** Milliseconds between two looks at the memory of an adapter that works. */
const LOOK_MS = 100;
/** An answer that comes as soon has not had the time to fill memory. */
const SOON_MS = 5;

interface MemoryWatch {
  /** What is wrong with the memory of the process, if its limit is known. */
  readonly peakOf: (() => Promise<string | undefined>) | undefined;
}

class LineSession implements Session {
  readonly #process: LineProcess;
  readonly #watch: MemoryWatch;

  constructor(process: LineProcess, watch: MemoryWatch) {
    this.#process = process;
    this.#watch = watch;
  }

  get isUsable(): boolean {
    return this.#process.isUsable;
  }

  async ask(message: Members, timeoutMs: number): Promise<SessionReply> {
    const text = JSON.stringify(message);
    const { peakOf } = this.#watch;
    if (peakOf === undefined) return replyOf(await this.#process.ask(text, timeoutMs));
    const look = async (): Promise<string | undefined> => {
      const message = await peakOf();
      if (message !== undefined) this.#process.kill({ kind: "over-memory", message });
      return message;
    };
    const timer = setInterval(look, LOOK_MS);
    const started = performance.now();
    const reply = await this.#process.ask(text, timeoutMs);
    clearInterval(timer);
    const isSoon = performance.now() - started < SOON_MS;
    const excess = "line" in reply && !isSoon ? await look() : undefined;
    return excess === undefined
      ? replyOf(reply)
      : { failed: { outcome: "out-of-memory", message: excess } };
  }

  async close(): Promise<void> {
    await this.#process.close();
  }

  async kill(): Promise<void> {
    this.#process.kill({ kind: "closed" });
    await this.#process.close();
  }
}

function replyOf(reply: LineReply): SessionReply {
  if ("end" in reply) return { failed: failedBy(reply) };
  const { line, more } = reply;
  if (more) return { failed: malformed(line, "The answer is followed by other output") };
  try {
    return { json: parseJson(new TextDecoder().decode(line)), printed: line };
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    return { failed: malformed(line, error.message) };
  }
}

function failedBy(
  { end, stderr, printed }: { end: LineEnd; stderr: string; printed: Uint8Array },
): Outcome<never> {
  switch (end.kind) {
    case "timed-out":
      return { outcome: "timed-out", message: `No answer within ${end.timeoutMs} ms` };
    case "over-memory":
      return { outcome: "out-of-memory", message: end.message };
    case "flooded":
      return malformed(printed, `The answer is longer than ${LINE_LIMIT} bytes`);
    case "crashed":
      return { outcome: "crashed", message: `${end.signal}: ${stderr}` };
    case "exited":
      return { outcome: "crashed", message: `Exit status ${end.code}: ${stderr}` };
    case "silent":
      return { outcome: "crashed", message: `It closed its standard output: ${stderr}` };
    case "closed":
      return { outcome: "crashed", message: `It was ended: ${stderr}` };
  }
}
