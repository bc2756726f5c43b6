import { Heartbeat } from "../../fuzz/engine/heartbeat.ts";
import type { Target, Worker } from "../../fuzz/engine/mod.ts";
import type { FromWorker, Question, Smaller, WorkerSetup } from "../../fuzz/engine/protocol.ts";
import { Server } from "../../fuzz/engine/serve.ts";
import type { Json } from "../../src/format/mod.ts";

/**
 * Makes workers that run their cases in the process of the test: for targets that neither hang nor
 * fill the memory, which only a process of its own survives. A process costs a second to start, and runs
 * every case with code that is not compiled yet.
 *
 * @param now a clock in milliseconds; that of the runtime by default
 */
export function localWorkers(
  targets: (settings: Json | undefined) => readonly Target[],
  now: () => number = () => performance.now(),
): (setup: WorkerSetup) => Worker {
  return (setup) => {
    const heartbeat = new Heartbeat();
    let answer: (said: Exclude<FromWorker, { say: "ready" | "smaller" }>) => void = () => {};
    let onSmaller: ((smaller: Smaller) => void) | undefined;
    const say = (said: FromWorker): void => {
      if (said.say === "smaller") onSmaller?.(said);
      else if (said.say !== "ready") answer(said);
    };
    const { directory, tools, memoryMax, settings } = setup;
    const server = new Server(
      targets(settings),
      { heartbeat: heartbeat.buffer, directory, tools, memoryMax, now },
      say,
    );
    let gone = false;
    return {
      get gone() {
        return gone;
      },
      ask: (question: Question, listener?: (smaller: Smaller) => void) =>
        new Promise((resolve) => {
          answer = resolve;
          onSmaller = listener;
          server.answer(structuredClone(question));
        }),
      stop: () => heartbeat.stop(),
      end: () => gone = true,
    };
  };
}
