import { decodeFrames, encodeFrame } from "./frames.ts";
import type { Answer, FromWorker, Lost, Question, Smaller, ToWorker } from "./protocol.ts";
import type { WorkerSetup } from "./protocol.ts";

/** A worker, in the main process. It answers one question at a time until it is lost. */
export interface Worker {
  /** Whether it has ended. */
  readonly gone: boolean;
  /** Asks a question. The answer is `lost` if the worker ends before it answers. */
  ask(question: Question, onSmaller?: (smaller: Smaller) => void): Promise<Answer>;
  /** Makes it finish the current question and all later ones early. */
  stop(): void;
  /** Ends it at once. */
  end(): void;
}

/** A process that runs `supervise`. */
export interface Process {
  readonly output: AsyncIterable<Uint8Array>;
  write(bytes: Uint8Array): void;
  kill(): void;
  /** How it ended, with the last lines of its standard error. */
  ended(): Promise<string>;
}

/** A worker in its own process, which can always be killed. */
export class ProcessWorker implements Worker {
  readonly #process: Process;
  #gone = false;
  #ready = false;
  #answer: ((answer: Answer) => void) | undefined;
  #onSmaller: ((smaller: Smaller) => void) | undefined;
  #lost: Lost | undefined;

  constructor(process: Process, setup: WorkerSetup) {
    this.#process = process;
    this.#send({ tell: "setup", setup });
    this.#listen();
  }

  get gone(): boolean {
    return this.#gone;
  }

  ask(question: Question, onSmaller?: (smaller: Smaller) => void): Promise<Answer> {
    if (this.#lost !== undefined) return Promise.resolve(this.#lost);
    this.#onSmaller = onSmaller;
    this.#send({ tell: "question", question });
    return new Promise((resolve) => this.#answer = resolve);
  }

  stop(): void {
    this.#send({ tell: "stop" });
  }

  end(): void {
    this.#gone = true;
    this.#process.kill();
  }

  #send(message: ToWorker): void {
    if (!this.#gone) this.#process.write(encodeFrame(message));
  }

  async #listen(): Promise<void> {
    try {
      for await (const message of decodeFrames(this.#process.output)) {
        this.#hear(message as FromWorker);
      }
    } catch {
      // The output is cut off. The exit status says more.
    }
    if (this.#lost === undefined) this.#lose(await this.#wordless());
    this.#answer?.(this.#lost as Lost);
  }

  #hear(message: FromWorker): void {
    if (message.say === "ready") this.#ready = true;
    else if (message.say === "smaller") this.#onSmaller?.(message);
    else if (message.say === "lost") this.#lose(message);
    else this.#answer?.(message);
  }

  #lose(lost: Lost): void {
    this.#lost ??= lost;
    this.end();
    this.#answer?.(this.#lost);
  }

  /** The process has ended without a message. */
  async #wordless(): Promise<Lost> {
    this.#gone = true;
    const how = await this.#process.ended();
    const memory = /out of memory|allocation failed/i.test(how);
    return {
      say: "lost",
      fault: {
        kind: memory ? "oom" : "crash",
        signature: memory ? "out of memory" : "worker exit",
        message: `The worker ${how}`,
        stack: [],
      },
      ...(this.#ready ? {} : { unready: true }),
    };
  }
}
