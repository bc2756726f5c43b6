/**
 * What the read-only verbs use of `Deno`, on Node. Other verbs do not run here: `bin.ts` says so.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  closeSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
  writeSync,
} from "node:fs";
import process from "node:process";

/** Errors of Deno. Node has other ones; of these, a gone reader of the output is recognised. */
class NotCapable extends Error {}
class NotFound extends Error {}
class BrokenPipe extends Error {
  static override [Symbol.hasInstance](error: unknown): boolean {
    return (error as { code?: unknown }).code === "EPIPE";
  }
}

/** No tool is started: `map` warns that it estimates the holes of sparse files. */
class NoCommand {
  spawn(): never {
    throw new Error("no tool is started on Node");
  }
}

function reading(fd: number): { readSync(target: Uint8Array): number | null } {
  return { readSync: (target) => waiting(() => readSync(fd, target)) || null };
}

function writing(fd: number): { writeSync(bytes: Uint8Array): number; isTerminal(): boolean } {
  return {
    writeSync: (bytes) => waiting(() => writeSync(fd, bytes)),
    isTerminal: () => false,
  };
}

/** A pipe that is not ready is tried again. */
function waiting(call: () => number): number {
  for (;;) {
    try {
      return call();
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function stat(path: string): Record<string, boolean> {
  const facts = statSync(path);
  return {
    isFile: facts.isFile(),
    isDirectory: facts.isDirectory(),
    isFifo: facts.isFIFO(),
    isCharDevice: facts.isCharacterDevice(),
  };
}

function open(path: string): object {
  const fd = openSync(path, "r");
  return { ...reading(fd), [Symbol.dispose]: () => closeSync(fd) };
}

/** Puts these parts of `Deno` in place. */
export function installDeno(): void {
  const parts = {
    args: process.argv.slice(2),
    errors: { NotCapable, NotFound, BrokenPipe },
    Command: NoCommand,
    stdin: reading(0),
    stdout: writing(1),
    stderr: writing(2),
    statSync: stat,
    openSync: open,
    realPathSync: (path: string | URL) => realpathSync(path),
    readTextFileSync: (path: string) => Buffer.from(readFileSync(path)).toString("utf8"),
    // Node has no permissions to drop, and no task sets INIT_CWD.
    permissions: {
      querySync: () => ({ state: "denied" }),
      revokeSync: () => ({ state: "denied" }),
    },
  };
  Object.assign(globalThis, { Deno: parts });
}
