import type { PooledAnswer, PooledQuestion } from "./pool.ts";
import { ReferencePeer } from "./peer.ts";

/** What a worker has of its global object. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<PooledQuestion>) => void) | null;
  postMessage(answer: PooledAnswer): void;
}

const scope = globalThis as unknown as WorkerScope;
const peer = new ReferencePeer();

/** One question at a time, in the order in which they come. */
let last: Promise<void> = Promise.resolve();
scope.onmessage = ({ data }) => {
  last = last.then(() => answer(data));
};

async function answer({ operation, subject, scope: digestScope }: PooledQuestion): Promise<void> {
  try {
    const outcome = await peer[operation](subject, digestScope);
    scope.postMessage({ outcome });
  } catch (error) {
    scope.postMessage({
      fault: error instanceof Error ? error.stack ?? error.message : `${error}`,
    });
  }
}
