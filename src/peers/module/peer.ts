import {
  type Session,
  type SessionOptions,
  SessionPeer,
  type SessionReply,
} from "../adapter/session.ts";
import { malformed, type Members, parseJson, ShapeError } from "../answers.ts";

/** Which module is an adapter, and how it is bounded. */
export interface ModuleOptions extends SessionOptions {
  /** The URL of the module. */
  readonly url: string;
}

/**
 * An adapter in TypeScript or JavaScript: a module whose default export has a method per operation,
 * which accepts a request and returns or resolves to an answer without its `id`. It runs in a worker
 * that may read files, and nothing else.
 *
 * ```ts
 * // adapter.ts: export default { probe: () => ({ ok: { format: "raw" } }) };
 * const peer = new ModulePeer({ url: new URL("adapter.ts", import.meta.url).href });
 * ```
 */
export class ModulePeer extends SessionPeer {
  readonly #url: string;

  /** A peer that loads a module at the first question. */
  constructor(options: ModuleOptions) {
    super(options.url, options);
    this.#url = options.url;
  }

  /** Starts a worker. */
  protected override start(): Session {
    return new WorkerSession(this.#url);
  }
}

/** The permissions of the adapter. */
const PERMISSIONS = { read: true, write: false, run: false, net: false, env: false, ffi: false };

class WorkerSession implements Session {
  readonly #worker: Worker;
  isUsable = true;

  constructor(url: string) {
    const options = { type: "module", deno: { permissions: PERMISSIONS } } as WorkerOptions;
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), options);
    this.#worker.postMessage({ load: url });
  }

  async ask(request: Members, timeoutMs: number): Promise<SessionReply> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const reply = await new Promise<SessionReply>((resolve) => {
      this.#worker.onmessage = ({ data }) => resolve(replyOf(data));
      this.#worker.onerror = (event) => {
        event.preventDefault();
        resolve({ failed: { outcome: "crashed", message: event.message } });
      };
      timer = setTimeout(() => {
        const message = `No answer within ${timeoutMs} ms`;
        resolve({ failed: { outcome: "timed-out", message } });
      }, timeoutMs);
      this.#worker.postMessage({ request });
    });
    clearTimeout(timer);
    this.isUsable = "json" in reply;
    return reply;
  }

  close(): Promise<void> {
    this.isUsable = false;
    this.#worker.terminate();
    return Promise.resolve();
  }
}

/** An answer, as if it had been written and read. */
function replyOf(answer: unknown): SessionReply {
  const printed = textOf(answer);
  try {
    return { json: parseJson(printed), printed };
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    return { failed: malformed(printed, error.message) };
  }
}

/** Adapters may have 64-bit numbers: those are exact as strings. */
function textOf(answer: unknown): string {
  return JSON.stringify(answer, (_, value) => typeof value === "bigint" ? `${value}` : value);
}
