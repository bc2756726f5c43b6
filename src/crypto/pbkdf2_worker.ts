import { builtin } from "../bytes/mod.ts";
import type { HashName } from "./hashes.ts";

/**
 * PBKDF2 by the Web Cryptography API, which in Deno takes a quarter of the time of `pbkdf2Sync` for
 * SHA-256, but cannot be waited for where nothing else is asynchronous. So another thread waits for it.
 */

/** What a key is derived from. */
export interface DerivedFrom {
  readonly password: Uint8Array;
  readonly salt: Uint8Array;
  readonly iterations: number;
  /** Bytes of the key. */
  readonly length: number;
}

/** Hashes at which the other way is faster, by their names there. */
const NAMES: Partial<Record<HashName, string>> = {
  sha256: "SHA-256",
  sha384: "SHA-384",
  sha512: "SHA-512",
};

/** Fewer iterations are done before a thread has started. */
const ITERATIONS_MIN = 80_000;
/** Milliseconds that a thread has to start in. */
const START_MS = 2000;

const WAITING = 0;
const STARTED = 1;
const DONE = 2;
/** Where the key is after the state. */
const KEY_AT = 8;

/** The key, or `undefined` where this way is not the faster one or cannot be gone. */
export function deriveElsewhere(hash: HashName, from: DerivedFrom): Uint8Array | undefined {
  const { [hash]: name } = NAMES;
  if (name === undefined || from.iterations < ITERATIONS_MIN) return undefined;
  try {
    return derived({ ...from, name, shared: new SharedArrayBuffer(KEY_AT + from.length) });
  } catch {
    // Not everywhere is there a thread to be had, or one that may wait for another.
    return undefined;
  }
}

interface Work extends DerivedFrom {
  /** The hash by its name in the Web Cryptography API. */
  readonly name: string;
  readonly shared: SharedArrayBuffer;
}

function derived(work: Work): Uint8Array | undefined {
  const state = new Int32Array(work.shared, 0, 1);
  const script = `(${derive})(require("node:worker_threads").workerData)`;
  const { Worker } = builtin("node:worker_threads");
  const worker = new Worker(script, { eval: true, workerData: work });
  // Nothing of it may keep the process alive, or end it.
  worker.on("error", () => {});
  worker.unref();
  try {
    if (Atomics.wait(state, 0, WAITING, START_MS) === "timed-out") return undefined;
    Atomics.wait(state, 0, STARTED);
    return state[0] === DONE ? new Uint8Array(work.shared, KEY_AT).slice() : undefined;
  } finally {
    void worker.terminate();
  }
}

/** Runs in the other thread, where nothing of this module is known. */
async function derive({ password, salt, iterations, length, name, shared }: Work): Promise<void> {
  const state = new Int32Array(shared, 0, 1);
  Atomics.store(state, 0, 1);
  Atomics.notify(state, 0);
  let end = 3;
  try {
    const bytes = [password, salt].map((part) => new Uint8Array(part)) as Uint8Array<ArrayBuffer>[];
    const key = await crypto.subtle.importKey("raw", bytes[0]!, "PBKDF2", false, ["deriveBits"]);
    const how = { name: "PBKDF2", hash: name, salt: bytes[1]!, iterations };
    const bits = await crypto.subtle.deriveBits(how, key, 8 * length);
    new Uint8Array(shared, 8).set(new Uint8Array(bits));
    end = 2;
  } finally {
    Atomics.store(state, 0, end);
    Atomics.notify(state, 0);
  }
}
