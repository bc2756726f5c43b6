import { type Digested, digestNamed, type Hashed } from "./digesting.ts";
import { holdsFile } from "./deno_files.ts";
import { keysOf } from "./images.ts";
import type { Options } from "./options.ts";
import { FAILED, UNUSABLE } from "./program.ts";
import { ImageError, UsageError } from "./verb.ts";

/** What a worker is to hash. */
export interface DigestOrder {
  readonly path: string;
  /** The command line behind the verb. */
  readonly args: readonly string[];
  /** The passphrases, which may have come from standard input. */
  readonly keys: readonly Uint8Array[];
}

/** How far a worker is, its result, or its failure with the exit status. */
export type DigestAnswer =
  | { readonly done: number; readonly length: number }
  | { readonly digested: Digested }
  | { readonly status: number; readonly message: string };

/** What the digests of several images have in common. */
export interface DigestsOptions {
  readonly args: readonly string[];
  readonly options: Options;
  /** Receives how far the image with an index is. */
  readonly hashed?: ((index: number, ...how: Parameters<Hashed>) => void) | undefined;
}

/**
 * The digests of images, in their order. Several are made side by side, one on each processor.
 *
 * @returns for each image a function that waits for its digest, to be called in order
 */
export function digestsOf(
  paths: readonly string[],
  { args, options, hashed }: DigestsOptions,
): (() => Promise<Digested>)[] {
  const hashedOf = (index: number): Hashed | undefined =>
    hashed && ((done, length) => hashed(index, done, length));
  const count = Math.min(paths.length, processors());
  if (count < 2) {
    return paths.map((path, index) => () => digestNamed(path, options, hashedOf(index)));
  }
  const keys = keysOf(options);
  const results = paths.map(() => Promise.withResolvers<Digested>());
  // Failures are reported when it is the turn of their image.
  for (const { promise } of results) promise.catch(() => {});
  const rest = paths.entries();
  for (let i = 0; i < count; i++) {
    void work(async (worker) => {
      for (const [index, path] of rest) {
        const { resolve } = results[index] as PromiseWithResolvers<Digested>;
        const digested = askWorker(worker, { path, args, keys }, hashedOf(index));
        resolve(digested);
        await digested.catch(() => {});
      }
    });
  }
  return results.map(({ promise }) => () => promise);
}

/** Node has no workers of this kind, and no worker can open a device. */
function processors(): number {
  return typeof Worker === "undefined" || holdsFile() ? 1 : navigator.hardwareConcurrency;
}

async function work(task: (worker: Worker) => Promise<void>): Promise<void> {
  const worker = new Worker(new URL("./digest_worker.ts", import.meta.url), { type: "module" });
  await task(worker);
  worker.terminate();
}

function askWorker(
  worker: Worker,
  order: DigestOrder,
  hashed: Hashed | undefined,
): Promise<Digested> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<DigestAnswer>) => {
      if ("done" in data) hashed?.(data.done, data.length);
      else if ("digested" in data) resolve(data.digested);
      else reject(failureOf(data.status, data.message));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    worker.postMessage(order);
  });
}

function failureOf(status: number, message: string): Error {
  if (status === FAILED) return new ImageError(message);
  return status === UNUSABLE ? new UsageError(message) : new Error(message);
}
