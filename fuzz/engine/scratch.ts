import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HarnessError, type TargetContext, type Tools } from "./target.ts";

/** Bytes that a directory must have room for, so that a failure is not one of the disk. */
const ROOM = 64 * 1024;

/**
 * The outside world as a target sees it. The directory costs nothing for targets that work in
 * memory: it is made when it is first asked for, and emptied after the cases that asked for it.
 */
export class Scratch implements TargetContext {
  readonly tools: Tools;
  readonly #directory: string;
  #made = false;
  #used = false;
  #kept = false;

  constructor(directory: string, tools: Tools) {
    this.#directory = directory;
    this.tools = tools;
  }

  get directory(): string {
    if (!this.#made) mkdirSync(this.#directory, { recursive: true });
    this.#made = true;
    this.#used = true;
    return this.#directory;
  }

  /** From now on the directory is emptied after every case if it was asked for before. */
  keep(): void {
    this.#kept = this.#used;
  }

  /** Empties the directory, if the last case may have put anything there. */
  empty(): void {
    if (!this.#used) return;
    for (const name of readdirSync(this.#directory)) {
      rmSync(join(this.#directory, name), { recursive: true, force: true });
    }
    this.#used = this.#kept;
  }

  /**
   * Makes sure that the last case, if it used the directory, had room there.
   *
   * @throws {HarnessError} when it is full
   */
  requireRoom(): void {
    if (!this.#used) return;
    const file = join(this.#directory, "room");
    try {
      writeFileSync(file, new Uint8Array(ROOM).fill(1));
      rmSync(file);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new HarnessError(`Cannot write to ${this.#directory}: ${reason}`, { cause });
    }
  }
}
