import { builtin } from "../bytes/mod.ts";
import { Scratch } from "./arrays.ts";
import { libzstd } from "./libzstd.ts";

/** How blocks are compressed. */
export interface AheadOptions {
  readonly method: "deflate" | "zstd";
  /** Length of a block in bytes. */
  readonly unit: number;
  /** Number of threads beside this one; by default one less than there are processors, 7 at most. */
  readonly threads?: number;
}

/** A block of which the compressed form may be wanted. */
interface Block {
  readonly bytes: Uint8Array | undefined;
}

/**
 * A block with its compressed form, if it has bytes and that is shorter than the block. Only without
 * a compressed form are the bytes of the block still valid.
 */
export type Compressed<B extends Block> = B & { readonly short?: Uint8Array };

const THREADS_MAX = 7;
/** Memory for blocks that wait, in bytes, and their number. */
const MEMORY = 2 ** 24;
const SLOTS_MAX = 32;
/** Blocks that wait for each other thread; further ones are compressed in this thread, without a copy. */
const WAITING = 2;
/** Blocks that are compressed before other threads start, which takes longer than these. */
const ALONE = 32;

/** The state of a slot. */
const FREE = 0;
const QUEUED = 1;
const RUNNING = 2;
const DONE = 3;

/** A block whose turn has not come: it is in a slot, or has its compressed form already. */
type Pending<B extends Block> =
  | { readonly made: Compressed<B> }
  | { readonly block: B; readonly slot: number };

/** What all threads share. */
interface Shared {
  /** The number of blocks so far, 1 at the end, and the state and the length of each slot. */
  readonly words: Int32Array;
  /** Each slot has a block and then its compressed form. */
  readonly data: Uint8Array;
  readonly slots: number;
  readonly unit: number;
  readonly settings: {
    readonly chunkSize: number;
    readonly pledgedSrcSize: number;
    readonly windowBits: number;
    readonly memLevel: number;
  };
  readonly method: AheadOptions["method"];
}

/** The same, as a thread gets it. */
interface Handed extends Omit<Shared, "words" | "data"> {
  readonly words: SharedArrayBuffer;
  readonly data: SharedArrayBuffer;
}

/**
 * Compresses blocks in other threads while the caller works on the ones before. The blocks come in their
 * order. The streams are those of the runtime's zlib and libzstd with QEMU's settings.
 */
export function* compressAhead<B extends Block>(
  blocks: Iterable<B>,
  options: AheadOptions,
): Generator<Compressed<B>> {
  const { unit, threads = defaultThreads() } = options;
  const slots = Math.max(2 * threads + 2, Math.min(SLOTS_MAX, Math.floor(MEMORY / unit)));
  const shared: Shared = {
    words: new Int32Array(new SharedArrayBuffer(4 * (2 + 2 * slots))),
    data: new Uint8Array(new SharedArrayBuffer(2 * slots * unit)),
    slots,
    unit,
    settings: settingsFor(unit),
    method: options.method,
  };
  let end = (): void => {};
  const pending: Pending<B>[] = [];
  let alone = 0;
  let next = 0;
  try {
    for (const block of blocks) {
      if (pending.length === slots) yield finished(shared, pending);
      const { bytes } = block;
      if (bytes === undefined) pending.push({ made: block });
      else if (alone < ALONE || areQueued(shared, pending, WAITING * threads)) {
        alone++;
        pending.push({ made: compressedHere(block, bytes, options.method) });
        if (alone === ALONE) end = startThreads(shared, threads);
      } else {
        queue(shared, next, bytes);
        pending.push({ block, slot: next });
        next = (next + 1) % slots;
      }
    }
    while (pending.length > 0) yield finished(shared, pending);
  } finally {
    end();
  }
}

function defaultThreads(): number {
  const { hardwareConcurrency = 1 } = globalThis.navigator ?? {};
  return Math.min(THREADS_MAX, hardwareConcurrency - 1);
}

function stateAt(slot: number): number {
  return 2 + 2 * slot;
}

function queue({ words, data, unit }: Shared, slot: number, bytes: Uint8Array): void {
  data.set(bytes, 2 * slot * unit);
  Atomics.store(words, stateAt(slot), QUEUED);
  Atomics.add(words, 0, 1);
  Atomics.notify(words, 0, 1);
}

/** Whether so many blocks wait for another thread. */
function areQueued({ words }: Shared, pending: readonly Pending<Block>[], most: number): boolean {
  let count = 0;
  for (let at = pending.length - 1; at >= 0 && count < most; at--) {
    const one = pending[at] as Pending<Block>;
    if ("slot" in one && Atomics.load(words, stateAt(one.slot)) === QUEUED) count++;
  }
  return count >= most;
}

/** A block with its compressed form, made in this thread; the memory of the block is not kept. */
function compressedHere<B extends Block>(
  block: B,
  bytes: Uint8Array,
  method: AheadOptions["method"],
): Compressed<B> {
  const short = compress(bytes, method);
  return short.length < bytes.length
    ? { ...block, short: short.slice() }
    : { ...block, bytes: bytes.slice() };
}

/** The first of the blocks, with its compressed form. This thread compresses, too. */
function finished<B extends Block>(shared: Shared, pending: Pending<B>[]): Compressed<B> {
  const { words, data, unit } = shared;
  const first = pending.shift() as Pending<B>;
  if ("made" in first) return first.made;
  const { block, slot } = first;
  const state = stateAt(slot);
  while (!compressIn(shared, slot) && Atomics.load(words, state) !== DONE) {
    if (!pending.some((other) => "slot" in other && compressIn(shared, other.slot))) {
      Atomics.wait(words, state, RUNNING);
    }
  }
  const length = words[state + 1] ?? unit;
  Atomics.store(words, state, FREE);
  const start = 2 * slot * unit;
  return length < unit
    ? { ...block, short: data.slice(start + unit, start + unit + length) }
    : { ...block, bytes: data.slice(start, start + unit) };
}

/** Compresses the block of a slot, unless another thread has begun to. */
function compressIn({ words, data, unit, method }: Shared, slot: number): boolean {
  const state = stateAt(slot);
  if (Atomics.compareExchange(words, state, QUEUED, RUNNING) !== QUEUED) return false;
  const start = 2 * slot * unit;
  const bytes = input.take(unit);
  bytes.set(data.subarray(start, start + unit));
  const short = compress(bytes, method);
  if (short.length < unit) data.set(short, start + unit);
  words[state + 1] = short.length;
  Atomics.store(words, state, DONE);
  return true;
}

/** The block that this thread compresses. */
const input = new Scratch();

/** Settings of node:zlib for blocks of a length; each method uses those that it knows. */
function settingsFor(unit: number): Shared["settings"] {
  // More bytes than the compressed form of a block has: then node:zlib needs one buffer for it.
  const chunkSize = unit + (unit >>> 6) + 1024;
  return { chunkSize, pledgedSrcSize: unit, windowBits: 12, memLevel: 9 };
}

/** The compressed form of a cluster, as QEMU's settings make it. */
function compress(bytes: Uint8Array, method: AheadOptions["method"]): Uint8Array {
  const settings = settingsFor(bytes.length);
  return method === "zstd"
    ? libzstd().zstdCompressSync(bytes, settings)
    : builtin("node:zlib").deflateRawSync(bytes, settings);
}

/** Starts threads, as many as the runtime allows. Returns what ends them. */
function startThreads(shared: Shared, count: number): () => void {
  const workers: { terminate(): unknown }[] = [];
  // The buffers, not the arrays: Deno looks at each element of an array for a port.
  const workerData: Handed = {
    ...shared,
    words: shared.words.buffer as SharedArrayBuffer,
    data: shared.data.buffer as SharedArrayBuffer,
  };
  try {
    const { Worker } = builtin("node:worker_threads");
    const script = `(${work})(require("node:worker_threads").workerData, require("node:zlib"))`;
    for (let index = 0; index < count; index++) {
      const worker = new Worker(script, { eval: true, workerData });
      // A worker must neither keep the process alive nor end it: this thread does what is left.
      worker.on("error", () => {});
      worker.unref();
      workers.push(worker);
    }
  } catch {
    // Some runtimes cannot start a thread.
  }
  return () => {
    Atomics.store(shared.words, 1, 1);
    Atomics.add(shared.words, 0, 1);
    Atomics.notify(shared.words, 0);
    for (const worker of workers) void worker.terminate();
  };
}

/** Runs in another thread, which cannot use anything else of this module. */
function work(
  { slots, unit, settings, method, ...buffers }: Handed,
  zlib: typeof import("node:zlib"),
): void {
  const words = new Int32Array(buffers.words);
  const data = new Uint8Array(buffers.data);
  const bytes = new Uint8Array(unit);
  for (let next = 0;;) {
    const seen = Atomics.load(words, 0);
    let worked = false;
    for (let count = 0; count < slots; count++) {
      const slot = (next + count) % slots;
      const state = 2 + 2 * slot;
      if (Atomics.load(words, 1) === 1) return;
      if (Atomics.compareExchange(words, state, 1, 2) !== 1) continue;
      const start = 2 * slot * unit;
      bytes.set(data.subarray(start, start + unit));
      const short = method === "zstd"
        ? zlib.zstdCompressSync(bytes, settings)
        : zlib.deflateRawSync(bytes, settings);
      if (short.length < unit) data.set(short, start + unit);
      words[state + 1] = short.length;
      Atomics.store(words, state, 3);
      Atomics.notify(words, state);
      next = slot + 1;
      worked = true;
      break;
    }
    if (!worked) Atomics.wait(words, 0, seen);
  }
}
