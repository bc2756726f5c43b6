import { builtin } from "../bytes/mod.ts";
import type { HashName } from "./hashes.ts";

/**
 * PBKDF2 by the Web Cryptography API, which in Deno takes a quarter of the time of `pbkdf2Sync` for
 * SHA-256. It is asynchronous and the callers are not, so another thread waits for it.
 */

/** The input of a key derivation. */
export interface DerivedFrom {
  readonly password: Uint8Array;
  readonly salt: Uint8Array;
  readonly iterations: number;
  /** Bytes of the key. */
  readonly length: number;
}

/** Hashes for which the Web Cryptography API is faster, with their names there. */
const NAMES: Partial<Record<HashName, string>> = {
  sha256: "SHA-256",
  sha384: "SHA-384",
  sha512: "SHA-512",
};

/** Fewer iterations than this take less time than starting a thread. */
const ITERATIONS_MIN = 80_000;
/** The time limit for starting a thread, in milliseconds. */
const START_MS = 2000;

const WAITING = 0;
const STARTED = 1;
const DONE = 2;
/** The offset of the key, after the state. */
const KEY_AT = 8;

/** The key, or `undefined` if this way is slower or not available. */
export function deriveElsewhere(hash: HashName, from: DerivedFrom): Uint8Array | undefined {
  const { [hash]: name } = NAMES;
  if (name === undefined || from.iterations < ITERATIONS_MIN) return undefined;
  try {
    return derived({ ...from, name, shared: new SharedArrayBuffer(KEY_AT + from.length) });
  } catch {
    // Some runtimes cannot start a thread, or do not let one wait for another.
    return undefined;
  }
}

interface Work extends DerivedFrom {
  /** The name of the hash in the Web Cryptography API. */
  readonly name: string;
  readonly shared: SharedArrayBuffer;
}

function derived(work: Work): Uint8Array | undefined {
  const state = new Int32Array(work.shared, 0, 1);
  const script = `(${derive})(require("node:worker_threads").workerData)`;
  const { Worker } = builtin("node:worker_threads");
  const worker = new Worker(script, { eval: true, workerData: work });
  // The worker must neither keep the process alive nor end it.
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

/** Runs in the other thread, which cannot use anything else of this module. */
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
