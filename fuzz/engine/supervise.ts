import process from "node:process";
import { Worker } from "node:worker_threads";
import { formatDuration } from "./budget.ts";
import { type Fault, faultOf } from "./fault.ts";
import { decodeFrames, encodeFrame } from "./frames.ts";
import { type Beat, Heartbeat } from "./heartbeat.ts";
import type { FromWorker, Question, ToWorker, WorkerSetup } from "./protocol.ts";

/** Settings of the second thread of a worker. */
export interface ThreadSetup extends Omit<WorkerSetup, "timeout"> {
  /** Of a `Heartbeat`. */
  readonly heartbeat: SharedArrayBuffer;
}

/** The connection to the main process. */
export interface Pipe {
  readonly input: AsyncIterable<Uint8Array>;
  /** Writes all bytes. Throws if the other end is closed. */
  write(bytes: Uint8Array): void;
}

/** Interval of checks in milliseconds, and the fewest checks within the time limit of a case. */
const WATCH_INTERVAL = 50;
const LOOKS = 4;

/** Time limit of the preparations of a target, if that of a case is shorter. */
const START_MAX = 30_000;

/**
 * Limit of the JavaScript heap as a share of the memory limit. Deno does not report a thread whose heap is
 * full, and V8's limit ends the process, so the memory limit must be reached first.
 */
const HEAP_SHARE = 2;

/** A case is blamed for the memory if it has grown by this share of the limit during the case. */
const BLAMED_SHARE = 0.25;

/**
 * The first thread of a worker process: passes questions to a second thread, which runs the cases, and
 * watches it. Deno cannot stop a thread that hangs or fills the memory, but a process can be ended: this
 * thread reports what the second one was doing, and returns.
 *
 * @param thread the module that calls `serve`
 * @returns when the caller has to end the process
 */
export async function supervise(thread: URL, pipe: Pipe): Promise<void> {
  const messages = decodeFrames(pipe.input) as AsyncGenerator<ToWorker>;
  const first = await messages.next();
  if (first.done === true || first.value.tell !== "setup") return;
  const supervisor = new Supervisor(thread, first.value.setup, pipe);
  await Promise.race([supervisor.lost, follow(messages, supervisor)]);
}

async function follow(messages: AsyncIterable<ToWorker>, supervisor: Supervisor): Promise<void> {
  for await (const message of messages) {
    if (message.tell === "question") supervisor.ask(message.question);
    if (message.tell === "stop") supervisor.stop();
  }
}

class Supervisor {
  readonly lost: Promise<void>;
  readonly #setup: WorkerSetup;
  readonly #pipe: Pipe;
  readonly #heartbeat = new Heartbeat();
  readonly #thread: Worker;
  #limit: number;
  #end: () => void = () => {};
  #tick = 0;
  #since = performance.now();
  #residentThen = process.memoryUsage.rss();

  constructor(thread: URL, setup: WorkerSetup, pipe: Pipe) {
    const { timeout, ...rest } = setup;
    this.#setup = setup;
    this.#pipe = pipe;
    this.#limit = timeout;
    this.lost = new Promise((resolve) => this.#end = resolve);
    const workerData: ThreadSetup = { ...rest, heartbeat: this.#heartbeat.buffer };
    this.#heartbeat.enter("starting");
    this.#thread = new Worker(thread, {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(setup.memoryMax * HEAP_SHARE / 2 ** 20) },
    });
    this.#thread.on("message", (answer: FromWorker) => this.#say(answer));
    this.#thread.on("error", (error: unknown) => this.#lose(faultOf(error)));
    this.#thread.on("exit", (status: number) => this.#lose(exitFault(status)));
    setInterval(() => this.#look(), Math.min(WATCH_INTERVAL, timeout / LOOKS));
  }

  ask(question: Question): void {
    this.#limit = question.ask === "shrink" && question.timeout !== undefined
      ? question.timeout
      : this.#setup.timeout;
    // The time limit starts here, not when the thread has loaded its modules.
    this.#heartbeat.enter("starting");
    this.#thread.postMessage(question);
  }

  stop(): void {
    this.#heartbeat.stop();
  }

  #look(): void {
    const beat = this.#heartbeat.read();
    const resident = process.memoryUsage.rss();
    const now = performance.now();
    if (beat.tick !== this.#tick || beat.phase === "idle") {
      this.#tick = beat.tick;
      this.#since = now;
      this.#residentThen = resident;
      return;
    }
    const limit = beat.phase === "starting" ? Math.max(this.#limit, START_MAX) : this.#limit;
    if (now - this.#since >= limit) return this.#lose(timeoutFault(limit, beat));
    // The case is not to blame for memory that was used before it.
    const { memoryMax } = this.#setup;
    const grown = resident - this.#residentThen;
    if (resident > memoryMax && grown > memoryMax * BLAMED_SHARE) {
      this.#lose(memoryFault(resident, memoryMax, beat));
    }
  }

  #lose(fault: Fault): void {
    this.#say({ say: "lost", beat: this.#heartbeat.read(), fault });
    this.#end();
  }

  #say(message: FromWorker): void {
    try {
      this.#pipe.write(encodeFrame(message));
    } catch {
      // The main process is gone.
      this.#end();
    }
  }
}

function exitFault(status: number): Fault {
  return {
    kind: "crash",
    signature: "worker exit",
    message: `The worker ended with status ${status} in the middle of a case`,
    stack: [],
  };
}

function timeoutFault(limit: number, beat: Beat): Fault {
  const doing = beat.phase === "starting"
    ? "starting the target"
    : beat.phase === "generating"
    ? "generating the case"
    : "running the case";
  return {
    kind: "timeout",
    signature: `timeout${placeIn(beat)}`,
    message: `No answer within ${formatDuration(limit)} of ${doing}${
      beat.step === undefined ? "" : placeIn(beat)
    }`,
    stack: [],
  };
}

/** The step in words; nothing if the target does not name its steps. */
function placeIn({ phase, step }: Beat): string {
  if (phase === "generating") return " in the generator";
  return step === undefined ? "" : ` in step ${step}`;
}

function memoryFault(resident: number, limit: number, beat: Beat): Fault {
  const inMebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
  return {
    kind: "oom",
    signature: `out of memory${placeIn(beat)}`,
    message: `${inMebibytes(resident)} resident, the limit is ${inMebibytes(limit)}`,
    stack: [],
  };
}
