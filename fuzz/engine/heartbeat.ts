import { LastUsed } from "../../src/bytes/mod.ts";

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

/** What the thread of a worker was doing at one moment. */
export interface Beat {
  /** Changes with every step, and so shows whether the thread is stuck. */
  readonly tick: number;
  readonly phase: Phase;
  /** The current case. */
  readonly index: number;
  /** The shrink path of the current candidate; empty for a case as it was generated. */
  readonly path: readonly number[];
  /** The step of the case, if the target names its steps. */
  readonly step?: string;
  /** The case as JSON text, if no seed generates it. */
  readonly carried?: string;
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
const STEP_LENGTH = 5;
const CARRIED_LENGTH = 6;
const PATH = 7;

/** Bytes of the name of a step; the rest is cut off. */
const STEP_MAX = 32;
const STEPS_KEPT = 32;
/** Bytes of the text of a case. */
const CARRIED_MAX = 64 * 1024;

const encoder = new TextEncoder();

/**
 * Memory that the two threads of a worker share. The thread that runs cases writes here what it does. A
 * thread in an endless loop sends no message, but this can be read.
 */
export class Heartbeat {
  /** The memory, to be handed to the thread. */
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #step: Uint8Array;
  readonly #carried: Uint8Array;
  /** Names of steps as bytes: each image has the same few. */
  readonly #steps = new LastUsed<string, Uint8Array>(STEPS_KEPT);

  constructor(buffer = new SharedArrayBuffer(4 * (PATH + PATH_MAX) + STEP_MAX + CARRIED_MAX)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, PATH + PATH_MAX);
    this.#step = new Uint8Array(buffer, 4 * (PATH + PATH_MAX), STEP_MAX);
    this.#carried = new Uint8Array(buffer, 4 * (PATH + PATH_MAX) + STEP_MAX);
  }

  /** The thread enters a phase. */
  enter(phase: Phase): void {
    this.#words[STEP_LENGTH] = 0;
    Atomics.store(this.#words, PHASE, PHASES.indexOf(phase));
    Atomics.add(this.#words, TICK, 1);
  }

  /** The thread generates a case. */
  generating(index: number): void {
    this.#words[INDEX] = index | 0;
    this.#words[PATH_LENGTH] = 0;
    this.#words[STEP_LENGTH] = 0;
    this.#words[CARRIED_LENGTH] = 0;
    Atomics.store(this.#words, PHASE, GENERATING);
    Atomics.add(this.#words, TICK, 1);
  }

  /** The case that runs next, as JSON: no seed generates it. A text that is too long is not carried. */
  carry(text: string): void {
    const bytes = encoder.encode(text);
    if (bytes.length > CARRIED_MAX) return;
    this.#carried.set(bytes);
    this.#words[CARRIED_LENGTH] = bytes.length;
  }

  /** The thread runs the case that it generated. */
  running(): void {
    Atomics.store(this.#words, PHASE, RUNNING);
    Atomics.add(this.#words, TICK, 1);
  }

  /** The thread starts a step of the case. It counts as the same case for the time limit. */
  at(step: string): void {
    const bytes = this.#steps.get(step, () => encoder.encode(step).subarray(0, STEP_MAX));
    this.#step.set(bytes);
    this.#words[STEP_LENGTH] = bytes.length;
  }

  /** The thread runs a smaller candidate; `false` if the path is too long. */
  shrinking(path: readonly number[], step: number): boolean {
    if (path.length >= PATH_MAX) return false;
    for (let i = 0; i < path.length; i++) this.#words[PATH + i] = path[i] as number;
    this.#words[PATH + path.length] = step;
    this.#words[PATH_LENGTH] = path.length + 1;
    this.enter("shrinking");
    return true;
  }

  /** Asks the thread to finish the current question early. */
  stop(): void {
    Atomics.store(this.#words, STOP, 1);
  }

  get stopped(): boolean {
    return Atomics.load(this.#words, STOP) !== 0;
  }

  /** What the thread is doing. Consistent once the tick does not change any more. */
  read(): Beat {
    const tick = Atomics.load(this.#words, TICK);
    const length = this.#words[PATH_LENGTH] as number;
    const step = this.#step.slice(0, this.#words[STEP_LENGTH]);
    const carried = this.#carried.slice(0, this.#words[CARRIED_LENGTH]);
    return {
      tick,
      phase: PHASES[Atomics.load(this.#words, PHASE)] ?? "idle",
      index: (this.#words[INDEX] as number) >>> 0,
      path: [...this.#words.subarray(PATH, PATH + length)],
      ...(step.length === 0 ? {} : { step: new TextDecoder().decode(step) }),
      ...(carried.length === 0 ? {} : { carried: new TextDecoder().decode(carried) }),
    };
  }
}
