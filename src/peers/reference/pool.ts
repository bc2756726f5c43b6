import { type Answers, ForwardingPeer } from "../forwarding.ts";
import type { DigestScope, Operation, Outcome, PeerDescription, Subject } from "../peer.ts";
import { Pool } from "../pool.ts";
import { ReferencePeer } from "./peer.ts";

/** What a worker is asked. */
export interface PooledQuestion {
  readonly operation: Operation;
  readonly subject: Subject;
  readonly scope?: DigestScope;
}

/** An outcome, or a fault of the reference itself with its stack. */
export type PooledAnswer = { readonly outcome: Outcome<unknown> } | { readonly fault: string };

/** Processors that are used at most. */
const WORKERS_MAX = 4;

/**
 * The reference implementation on several processors: each question goes to an idle worker. For one
 * question after the other `ReferencePeer` is faster.
 *
 * ```ts
 * const paths = ["one.qcow2", "two.qcow2"];
 * const peer = new ReferencePool();
 * const infos = await Promise.all(paths.map((path) => peer.info({ path })));
 * await peer.close();
 * ```
 */
export class ReferencePool extends ForwardingPeer {
  readonly #workers = new Pool(newWorker, Math.min(WORKERS_MAX, navigator.hardwareConcurrency));

  describe(): Promise<PeerDescription> {
    return new ReferencePeer().describe();
  }

  /** Ends the workers, which have to be idle. */
  close(): Promise<void> {
    for (const worker of this.#workers.empty()) worker.terminate();
    return Promise.resolve();
  }

  protected override async ask<O extends keyof Answers>(
    operation: O,
    subject: Subject,
    scope: DigestScope = {},
  ): Promise<Outcome<Answers[O]>> {
    let worker = await this.#workers.take();
    try {
      return await answerOf(worker, { operation, subject, scope }) as Outcome<Answers[O]>;
    } catch (error) {
      // It may be dead, and the next question would wait for ever.
      worker.terminate();
      worker = newWorker();
      throw error;
    } finally {
      this.#workers.give(worker);
    }
  }
}

function newWorker(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
}

/** @throws {Error} for a fault of the reference itself */
function answerOf(worker: Worker, question: PooledQuestion): Promise<Outcome<unknown>> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<PooledAnswer>) => {
      if ("outcome" in data) resolve(data.outcome);
      else reject(new Error(data.fault));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    worker.postMessage(question);
  });
}
