import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HarnessError, type TargetContext, type Tools } from "./target.ts";

/** A failure counts only if this many bytes can be written to the directory. */
const ROOM = 64 * 1024;

/**
 * What a target may use of the outside world. The directory costs nothing for targets that work in
 * memory: it is created at the first use, and emptied after each case that uses it.
 */
export class Scratch implements TargetContext {
  readonly tools: Tools;
  readonly at: (step: string) => void;
  readonly #directory: string;
  #made = false;
  #used = false;
  #kept = false;

  constructor(directory: string, tools: Tools, at: (step: string) => void = () => {}) {
    this.#directory = directory;
    this.tools = tools;
    this.at = at;
  }

  get directory(): string {
    if (!this.#made) mkdirSync(this.#directory, { recursive: true });
    this.#made = true;
    this.#used = true;
    return this.#directory;
  }

  /** If the directory was used, it is emptied after every case from now on. */
  keep(): void {
    this.#kept = this.#used;
  }

  /** Empties the directory if the last case used it. */
  empty(): void {
    if (!this.#used) return;
    for (const name of readdirSync(this.#directory)) {
      rmSync(join(this.#directory, name), { recursive: true, force: true });
    }
    this.#used = this.#kept;
  }

  /**
   * Checks that the directory can be written to, if the last case used it.
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
