/** What a worker's thread is doing. */
export type Phase = "idle" | "starting" | "generating" | "running" | "shrinking" | "reporting";

const PHASES: readonly Phase[] = [
  "idle",
  "starting",
  "generating",
  "running",
  "shrinking",
  "reporting",
];

/** What a worker's thread was doing at a moment. */
export interface Beat {
  /** Changes with every step, so that a thread that is stuck can be told from one that goes on. */
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
const STOP = 3;
const PATH_LENGTH = 4;
const PATH = 5;

/**
 * A few words of memory that the two threads of a worker share: the one that runs cases says here what
 * it does. A thread that spins can send no message; from here it is known all the same what it is at.
 */
export class Heartbeat {
  /** The memory, to be handed to the thread. */
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer = new SharedArrayBuffer(4 * (PATH + PATH_MAX))) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  /** The thread enters a phase. */
  enter(phase: Phase): void {
    Atomics.store(this.#words, PHASE, PHASES.indexOf(phase));
    Atomics.add(this.#words, TICK, 1);
  }

  /** The thread generates a case. */
  generating(index: number): void {
    this.#words[INDEX] = index | 0;
    this.#words[PATH_LENGTH] = 0;
    Atomics.store(this.#words, PHASE, GENERATING);
    Atomics.add(this.#words, TICK, 1);
  }

  /** The thread runs the case that it generated. */
  running(): void {
    Atomics.store(this.#words, PHASE, RUNNING);
    Atomics.add(this.#words, TICK, 1);
  }

  /** The thread runs a smaller candidate; `false` where the path is too long to be told. */
  shrinking(path: readonly number[], step: number): boolean {
    if (path.length >= PATH_MAX) return false;
    for (let i = 0; i < path.length; i++) this.#words[PATH + i] = path[i] as number;
    this.#words[PATH + path.length] = step;
    this.#words[PATH_LENGTH] = path.length + 1;
    this.enter("shrinking");
    return true;
  }

  /** Asks the thread to come to an end with the question at hand. */
  stop(): void {
    Atomics.store(this.#words, STOP, 1);
  }

  get stopped(): boolean {
    return Atomics.load(this.#words, STOP) !== 0;
  }

  /** What the thread is doing. Trustworthy once the tick has stood still. */
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
