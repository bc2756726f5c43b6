import process from "node:process";
import { Worker } from "node:worker_threads";
import { type Fault, faultOf } from "./fault.ts";
import { type Beat, Heartbeat } from "./heartbeat.ts";
import type { Answer, Question, WorkerSetup } from "./protocol.ts";
import type { Tools } from "./target.ts";

/** What a worker is started with. */
export interface StationOptions {
  /** The module that calls `serve`. */
  readonly entry: URL;
  /** A directory of the worker's own; it need not exist. */
  readonly directory: string;
  readonly tools: Tools;
  /** Limit of the worker's JavaScript heap in bytes. */
  readonly heapMax: number;
}

/** Who hears a worker. */
export interface Listener {
  answer(answer: Answer): void;
  /** The worker is no more: what it ran took the thread down. */
  died(fault: Fault): void;
}

/** A step that a worker is at. */
export interface Standing {
  readonly beat: Beat;
  /** How long it has been at it, in milliseconds. */
  readonly milliseconds: number;
  /** By how many bytes the process has grown since. */
  readonly grown: number;
}

/** The main thread's side of one worker. */
export class Station {
  readonly #heartbeat = new Heartbeat();
  readonly #worker: Worker;
  #listener: Listener | undefined;
  #left = false;
  #beat: Beat = this.#heartbeat.read();
  #since = performance.now();
  #residentThen = process.memoryUsage.rss();

  constructor(options: StationOptions) {
    const workerData: WorkerSetup = {
      heartbeat: this.#heartbeat.buffer,
      directory: options.directory,
      tools: options.tools,
    };
    this.#worker = new Worker(options.entry, {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(options.heapMax / 2 ** 20) },
    });
    this.#worker.on("message", (answer: Answer) => this.#listener?.answer(answer));
    this.#worker.on("error", (error: unknown) => this.#died(faultOf(error)));
    this.#worker.on("exit", (status: number) =>
      this.#died({
        kind: "crash",
        signature: "worker exit",
        message: `The worker ended with status ${status} in the middle of a case`,
        stack: [],
      }));
  }

  /** Asks a question; the listener hears everything from now on. */
  ask(question: Question, listener: Listener): void {
    this.#listener = listener;
    // From here on it counts, not from when the worker has loaded its modules.
    this.#heartbeat.enter("starting");
    this.#worker.postMessage(question);
  }

  /** The step that the worker is at, as far as it was looked at. */
  standing(): Standing {
    const beat = this.#heartbeat.read();
    const resident = process.memoryUsage.rss();
    if (beat.tick !== this.#beat.tick || beat.phase === "idle") {
      this.#since = performance.now();
      this.#residentThen = resident;
    }
    this.#beat = beat;
    return {
      beat,
      milliseconds: performance.now() - this.#since,
      grown: resident - this.#residentThen,
    };
  }

  /**
   * Lets go of the worker. One that waits for a question ends; one that spins cannot be stopped in
   * Deno and goes on until the process exits, unheard.
   */
  leave(): void {
    this.#left = true;
    this.#listener = undefined;
    this.#worker.terminate();
  }

  /** Whether the worker is gone, or was let go. */
  get left(): boolean {
    return this.#left;
  }

  #died(fault: Fault): void {
    if (this.#left) return;
    const listener = this.#listener;
    this.leave();
    listener?.died(fault);
  }
}
