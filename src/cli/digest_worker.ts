import { useFileSystem } from "../bytes/mod.ts";
import { denoFileSystem } from "./deno_files.ts";
import { DIGEST, digestNamed } from "./digesting.ts";
import { useKeys } from "./images.ts";
import { parseOptions } from "./options.ts";
import type { DigestAnswer, DigestOrder } from "./digests.ts";
import { messageOf, statusOf } from "./program.ts";

/** What a worker has of its global object. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<DigestOrder>) => void) | null;
  postMessage(answer: DigestAnswer): void;
}

const scope = globalThis as unknown as WorkerScope;

/** How often a worker says how far it is, in milliseconds. */
const INTERVAL = 100;

useFileSystem(denoFileSystem);
scope.onmessage = ({ data }) => void answer(data);

async function answer({ path, args, keys }: DigestOrder): Promise<void> {
  let last = 0;
  const hashed = (done: number, length: number): void => {
    const now = performance.now();
    if (done > 0 && now - last < INTERVAL) return;
    last = now;
    scope.postMessage({ done, length });
  };
  try {
    const options = parseOptions(args, DIGEST);
    useKeys(options, keys);
    scope.postMessage({ digested: await digestNamed(path, options, hashed) });
  } catch (error) {
    scope.postMessage({ status: statusOf(error), message: messageOf(error) });
  }
}
