import * as fc from "fast-check";
import { parentPort, workerData } from "node:worker_threads";
import type { Json } from "../../src/format/mod.ts";
import { Bench } from "./bench.ts";
import { dossierOf } from "./dossier.ts";
import { faultOf, isFault, sameFault } from "./fault.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { Answer, CaseRef, Question, WorkerSetup } from "./protocol.ts";
import { followPath } from "./random.ts";
import { Scratch } from "./scratch.ts";
import { Shift } from "./shift.ts";
import type { Target } from "./target.ts";

/**
 * The worker's side of the engine: answers the questions of the main thread about these targets, for
 * as long as the thread lives. A worker's module calls it and does nothing else.
 *
 * @throws {Error} when it is called outside a worker
 */
export function serve(targets: readonly Target[]): void {
  const port = parentPort;
  if (port === null) throw new Error("Cannot serve targets: this is not a worker");
  const setup = workerData as WorkerSetup;
  const surroundings = {
    heartbeat: new Heartbeat(setup.heartbeat),
    scratch: new Scratch(setup.directory, setup.tools),
  };
  const say = (answer: Answer) => port.postMessage(answer);
  let bench: Bench | undefined;
  globalThis.addEventListener("unhandledrejection", (event) => {
    if (bench?.blame(event.reason) === true) event.preventDefault();
  });
  port.on("message", async (question: Question) => {
    const name = question.ask === "slot" ? question.slot.target : question.ref.target;
    const target = targets.find((known) => known.name === name);
    if (target === undefined) {
      say({ say: "refused", message: `Cannot run target ${name}: there is none of that name` });
      return;
    }
    bench = new Bench(target, surroundings);
    if (question.ask === "slot") return new Shift(bench, question.slot, say).run();
    surroundings.heartbeat.generating(question.ref.index);
    try {
      say(await answerOn(bench, question));
    } catch (error) {
      say({ say: "refused", message: faultOf(error).message });
    }
    surroundings.heartbeat.enter("idle");
  });
}

function answerOn(
  bench: Bench,
  question: Exclude<Question, { ask: "slot" }>,
): Answer | Promise<Answer> {
  if (question.ask === "replay") return replay(bench, question.ref);
  if (question.ask === "shrink") return shrinkOn(bench, question);
  const value = storedCase(bench, question.ref) ?? generatedCase(bench, question.ref)?.value;
  if (value === undefined) throw new Error("the case cannot be generated again");
  return { say: "dossier", dossier: dossierOf(bench.target, value) };
}

async function replay(bench: Bench, ref: CaseRef): Promise<Answer> {
  const value = storedCase(bench, ref) ?? generatedCase(bench, ref)?.value;
  if (value === undefined) throw new Error("the case cannot be generated again");
  await bench.start();
  const attempt = await bench.run(value);
  await bench.stop();
  const about = isFault(attempt) ? attempt.about : undefined;
  return { say: "replayed", attempt, dossier: dossierOf(bench.target, value, about) };
}

async function shrinkOn(
  bench: Bench,
  question: Extract<Question, { ask: "shrink" }>,
): Promise<Answer> {
  const { ref, fault } = question;
  const value = shrinkableCase(bench, ref);
  if (value === undefined) {
    return {
      say: "shrunk",
      reason: "this release generates other cases from the seed, and the target's cases can only " +
        "be shrunk by how they were generated",
    };
  }
  await bench.start();
  const again = await bench.run(value.value.value);
  if (!isFault(again) || !sameFault(again, fault)) {
    await bench.stop();
    return { say: "shrunk", reason: "the case does not fail in that way any more" };
  }
  const until = performance.now() + question.milliseconds;
  const found = await bench.investigate(
    { index: ref.index, value: value.value, fault: again, path: value.path },
    () => performance.now() >= until,
  );
  await bench.stop();
  return { say: "shrunk", found };
}

/**
 * A case that knows how to get smaller: the one that the seed and path give if it still is the stored
 * one, or else the stored one itself if its arbitrary can shrink a value that it did not generate.
 */
function shrinkableCase(
  bench: Bench,
  ref: CaseRef,
): { value: fc.Value<unknown>; path: readonly number[] } | undefined {
  const generated = generatedCase(bench, ref);
  const json = (value: unknown) => JSON.stringify(bench.target.toJson(value));
  if (generated !== undefined && json(generated.value) === JSON.stringify(ref.case)) {
    return { value: generated, path: ref.path };
  }
  const stored = storedCase(bench, ref);
  if (stored === undefined || !bench.cases.canShrinkWithoutContext(stored)) return undefined;
  return { value: new fc.Value(stored, undefined), path: [] };
}

/** @throws {Error} when the stored JSON is no case of the target */
function storedCase(bench: Bench, ref: CaseRef): unknown {
  return ref.case === undefined ? undefined : bench.target.fromJson(ref.case as Json);
}

function generatedCase(bench: Bench, ref: CaseRef): fc.Value<unknown> | undefined {
  return followPath(bench.cases, bench.generate(ref, ref.index), ref.path);
}
