import { join } from "node:path";
import process from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import type { Json } from "../../src/format/mod.ts";
import { Bench, isDeadly } from "./bench.ts";
import { causeOf, isSteered, type KnownCause, knownCauseOf, LEFT_OUT } from "./causes.ts";
import { dossierOf } from "./dossier.ts";
import { Evidence } from "./evidence.ts";
import { faultOf, isFault, isTrouble, nameOf, sameFault } from "./fault.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { Answer, FromWorker, Met, Question } from "./protocol.ts";
import { Scratch } from "./scratch.ts";
import type { ThreadSetup } from "./supervise.ts";
import { Tally } from "./tally.ts";
import { HarnessError, type Target } from "./target.ts";

/**
 * Runs cases in the second thread of a worker: answers the questions that the first thread passes on. The
 * module of the second thread calls this and does nothing else.
 *
 * @param targets the targets, or what makes them from the settings of the worker
 * @throws {Error} when it is called outside a worker
 */
export function serve(
  targets: readonly Target[] | ((settings: Json | undefined) => readonly Target[]),
): void {
  const port = parentPort;
  if (port === null) throw new Error("Cannot serve targets: this is not a worker");
  const setup = workerData as ThreadSetup;
  const made = typeof targets === "function" ? targets(setup.settings) : targets;
  const server = new Server(made, setup, (said) => port.postMessage(said));
  globalThis.addEventListener("unhandledrejection", (event) => {
    if (server.blame(event.reason)) event.preventDefault();
  });
  port.on("message", (question: Question) => server.answer(question));
}

/** One case in so many is kept as evidence where its traits are not needed otherwise. */
const SAMPLED = 16;

class Server {
  readonly #targets: readonly Target[];
  readonly #say: (said: FromWorker) => void;
  readonly #heartbeat: Heartbeat;
  readonly #scratch: Scratch;
  #bench: Bench | undefined;
  #evidence = new Evidence();

  constructor(
    targets: readonly Target[],
    setup: ThreadSetup,
    say: (said: FromWorker) => void,
  ) {
    this.#targets = targets;
    this.#say = say;
    this.#heartbeat = new Heartbeat(setup.heartbeat);
    const at = (step: string) => this.#heartbeat.at(step);
    this.#scratch = new Scratch(join(setup.directory, "case"), setup.tools, at);
    this.#heartbeat.enter("idle");
    say({ say: "ready" });
  }

  blame(error: unknown): boolean {
    return this.#bench?.blame(error) === true;
  }

  async answer(question: Question): Promise<void> {
    let answer: Answer;
    try {
      answer = await this.#answerTo(question);
    } catch (error) {
      const fault = faultOf(error);
      const message = error instanceof Error ? error.message : String(error);
      answer = { say: "refused", message, ...(isTrouble(fault) ? { trouble: true } : {}) };
    }
    this.#heartbeat.enter("idle");
    this.#say(answer);
  }

  async #answerTo(question: Question): Promise<Answer> {
    if (question.ask === "cases") {
      return await this.#runCases(await this.#started(question.range.target), question);
    }
    const { ref } = question;
    if (question.ask === "shrink") return await this.#shrink(question);
    if (question.ask === "dossier") {
      const bench = new Bench(this.#targetOf(ref), this.#surroundings);
      return { say: "dossier", dossier: dossierOf(bench.target, bench.caseOf(ref).value) };
    }
    const bench = await this.#started(ref.target);
    const { value } = bench.caseOf(ref);
    const attempt = await bench.run(value);
    const about = isFault(attempt) ? attempt.about : undefined;
    return { say: "replayed", attempt, dossier: dossierOf(bench.target, value, about) };
  }

  get #surroundings(): { scratch: Scratch; heartbeat: Heartbeat } {
    return { scratch: this.#scratch, heartbeat: this.#heartbeat };
  }

  #targetOf({ target }: { readonly target: string }): Target {
    const found = this.#targets.find(({ name }) => name === target);
    if (found === undefined) {
      throw new Error(`unknown target ${target}`);
    }
    return found;
  }

  /** The target, ready to run cases; the one before it is stopped. */
  async #started(target: string): Promise<Bench> {
    if (this.#bench?.target.name === target) return this.#bench;
    const last = this.#bench;
    this.#bench = undefined;
    await last?.stop();
    const bench = new Bench(this.#targetOf({ target }), this.#surroundings);
    await bench.start();
    this.#evidence = new Evidence();
    return this.#bench = bench;
  }

  async #runCases(
    bench: Bench,
    { range, milliseconds, known, causes = [] }: Extract<Question, { ask: "cases" }>,
  ): Promise<Answer> {
    const tally = new Tally();
    const names = new Set(known);
    const met: Met[] = [];
    const until = performance.now() + milliseconds;
    let index = range.from;
    let trouble: string | undefined;
    while (index < range.to && trouble === undefined) {
      const value = bench.generate(range, index);
      const traits = this.#traitsOf(bench, value.value, { causes, index });
      const pending = this.#isLeftOut(bench, { traits, index, causes })
        ? LEFT_OUT
        : bench.run(value.value);
      const attempt = pending instanceof Promise ? await pending : pending;
      if (!isFault(attempt)) {
        tally.add(attempt);
        if (attempt.skipped === undefined) this.#evidence.passed(traits, causes);
      } else if (isTrouble(attempt)) trouble = attempt.message;
      else {
        const cause = knownCauseOf(attempt, traits, causes);
        if (cause !== undefined) this.#evidence.failed(cause);
        tally.fail(cause?.id ?? attempt.signature);
        const name = nameOf(attempt);
        if (cause === undefined && !names.has(name)) met.push({ index, fault: attempt });
        if (cause === undefined) names.add(name);
      }
      index++;
      if (this.#heartbeat.stopped || performance.now() >= until) break;
    }
    return {
      say: "ran",
      to: index,
      counts: tally.counts(),
      met,
      resident: process.memoryUsage.rss(),
      ...(trouble === undefined ? {} : { trouble }),
    };
  }

  /** The traits of a case; none where they are not needed. */
  #traitsOf(
    { target }: Bench,
    value: unknown,
    { causes, index }: { readonly causes: readonly KnownCause[]; readonly index: number },
  ): readonly string[] {
    const grouping = target.causes;
    if (grouping === undefined) return [];
    const isNeeded = causes.length > 0 || (grouping.avoided?.length ?? 0) > 0 ||
      index % SAMPLED === 0;
    return isNeeded ? grouping.traits(value) : [];
  }

  #isLeftOut(
    { target }: Bench,
    { traits, index, causes }: {
      traits: readonly string[];
      index: number;
      causes: readonly KnownCause[];
    },
  ): boolean {
    const { avoided = [] } = target.causes ?? {};
    const deciding = causes.filter((cause) => this.#evidence.mostlyFails(cause));
    return traits.length > 0 && isSteered({ traits, index }, { causes: deciding, avoided });
  }

  async #shrink(question: Extract<Question, { ask: "shrink" }>): Promise<Answer> {
    const { ref, fault, after, causes = [] } = question;
    const bench = await this.#started(ref.target);
    const value = bench.caseOf(ref);
    // A second run would end this worker.
    const again = isDeadly(fault) ? fault : await bench.run(value.value);
    if (isFault(again) && isTrouble(again)) throw new HarnessError(again.message);
    if (!isFault(again) || !sameFault(again, fault)) return { say: "shrunk" };
    const { steps = [] } = ref;
    const shrunk = await bench.investigate(
      { value, fault: again, steps, ...(after === undefined ? {} : { after }) },
      {
        milliseconds: question.milliseconds,
        onSmaller: (smaller) => this.#say({ say: "smaller", ...smaller }),
        causes,
      },
    );
    const grouping = bench.target.causes;
    if (grouping === undefined) return { say: "shrunk", shrunk };
    const { steps: _, ...whole } = ref;
    const cause = causeOf(grouping, {
      fault: shrunk.fault,
      smallest: shrunk.dossier.traits ?? [],
      original: grouping.traits(bench.caseOf(whole).value),
      complete: shrunk.complete,
      passing: this.#evidence.passing,
    });
    return { say: "shrunk", shrunk: { ...shrunk, cause } };
  }
}
