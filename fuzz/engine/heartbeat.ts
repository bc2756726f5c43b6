/** What a worker is doing. */
export type Phase = "idle" | "starting" | "generating" | "running" | "shrinking" | "reporting";

const PHASES: readonly Phase[] = [
  "idle",
  "starting",
  "generating",
  "running",
  "shrinking",
  "reporting",
];

/** What a worker was doing at a moment. */
export interface Beat {
  /** Changes with every step, so that standing still can be told from going on. */
  readonly tick: number;
  readonly phase: Phase;
  /** The case at hand. */
  readonly index: number;
  /** The shrink path of the candidate at hand; empty for a case as it was generated. */
  readonly path: readonly number[];
}

/** How many steps a shrink path may have. */
export const PATH_MAX = 1000;

const GENERATING = PHASES.indexOf("generating");
const RUNNING = PHASES.indexOf("running");

const TICK = 0;
const PHASE = 1;
const INDEX = 2;
const PATH_LENGTH = 3;
const PATH = 4;

/**
 * A few words of shared memory in which a worker says what it does. A worker that spins can send no
 * message and cannot be interrupted; from here its case can be told all the same.
 */
export class Heartbeat {
  /** The memory, to be handed to the worker. */
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer = new SharedArrayBuffer(4 * (PATH + PATH_MAX))) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  /** The worker enters a phase. */
  enter(phase: Phase): void {
    Atomics.store(this.#words, PHASE, PHASES.indexOf(phase));
    Atomics.add(this.#words, TICK, 1);
  }

  /** The worker generates a case. */
  generating(index: number): void {
    this.#words[INDEX] = index | 0;
    this.#words[PATH_LENGTH] = 0;
    Atomics.store(this.#words, PHASE, GENERATING);
    Atomics.add(this.#words, TICK, 1);
  }

  /** The worker runs the case that it generated. */
  running(): void {
    Atomics.store(this.#words, PHASE, RUNNING);
    Atomics.add(this.#words, TICK, 1);
  }

  /** The worker runs a smaller candidate; `false` where the path is too long to be told. */
  shrinking(path: readonly number[], ordinal: number): boolean {
    if (path.length >= PATH_MAX) return false;
    for (let i = 0; i < path.length; i++) this.#words[PATH + i] = path[i] as number;
    this.#words[PATH + path.length] = ordinal;
    this.#words[PATH_LENGTH] = path.length + 1;
    this.enter("shrinking");
    return true;
  }

  /** What the worker is doing. Trustworthy once the tick has stood still. */
  read(): Beat {
    const tick = Atomics.load(this.#words, TICK);
    const length = this.#words[PATH_LENGTH] as number;
    return {
      tick,
      phase: PHASES[Atomics.load(this.#words, PHASE)] ?? "idle",
      index: (this.#words[INDEX] as number) >>> 0,
      path: [...this.#words.subarray(PATH, PATH + length)],
    };
  }
}

const STOP = 0;
const NEXT = 1;

/** What all workers of a target share: who takes which case, and when to stop. */
export class Baton {
  /** The memory, to be handed to the workers. */
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer = new SharedArrayBuffer(8)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  /** Takes the next case. */
  take(): number {
    return Atomics.add(this.#words, NEXT, 1) >>> 0;
  }

  /** Asks all workers to stop after the case at hand. */
  stop(): void {
    Atomics.store(this.#words, STOP, 1);
  }

  get stopped(): boolean {
    return Atomics.load(this.#words, STOP) !== 0;
  }
}
