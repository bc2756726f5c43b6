import { cpuUsage } from "node:process";
import type { ByteSource } from "../../src/bytes/mod.ts";

/** A source that counts the bytes that reads past its end allocate. */
export class MeteredSource implements ByteSource {
  readonly size: number;
  /** Bytes past the end that were requested. */
  made = 0;
  readonly #base: ByteSource;

  constructor(base: ByteSource) {
    this.#base = base;
    this.size = base.size;
  }

  read(offset: number, length: number): Uint8Array {
    this.#count(offset, length);
    return this.#base.read(offset, length);
  }

  readInto(offset: number, target: Uint8Array): void {
    this.#base.readInto(offset, target);
  }

  nextData(offset: number): number {
    return this.#base.nextData?.(offset) ?? offset;
  }

  #count(offset: number, length: number): void {
    this.made += Math.min(length, Math.max(0, offset + length - this.size));
  }
}

/**
 * Milliseconds for which one reading of the processor's time is used: it takes longer than reading the
 * clock. A watch that has run for less reads the clock alone, and limits are longer.
 */
const READING_MS = 250;

let last = { at: -Infinity, with: 0, of: processorMs };

/**
 * Starts a watch that returns the milliseconds of work since then: the time of the clock or that of
 * the processor, whichever is less. On a busy machine the clock also counts the work of others, and
 * the processor's time also counts other threads of this process.
 */
export function startWatch(
  clock: () => number = () => performance.now(),
  processor: () => number = processorMs,
): () => number {
  const startedAt = clock();
  if (last.of !== processor || startedAt - last.at > READING_MS) {
    last = { at: startedAt, with: processor(), of: processor };
  }
  const { at, with: reading } = last;
  return () => {
    const passed = clock() - startedAt;
    // Work between the reading and the start is not counted; the clock says how much it was at most.
    return passed < READING_MS
      ? passed
      : Math.min(passed, processor() - reading - (startedAt - at));
  };
}

function processorMs(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}
