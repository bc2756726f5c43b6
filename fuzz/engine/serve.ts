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
import { Gains, type NextCase } from "./kept/gains.ts";
import { Guide } from "./kept/guide.ts";
import type { Profile } from "./profile.ts";
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
 * @param profile counts what the thread runs
 * @throws {Error} when it is called outside a worker
 */
export function serve(
  targets: readonly Target[] | ((settings: Json | undefined) => readonly Target[]),
  profile?: Profile,
): void {
  const port = parentPort;
  if (port === null) throw new Error("Cannot serve targets: this is not a worker");
  const setup = workerData as ThreadSetup;
  const made = typeof targets === "function" ? targets(setup.settings) : targets;
  const server = new Server(made, { ...setup, profile }, (said) => port.postMessage(said));
  globalThis.addEventListener("unhandledrejection", (event) => {
    if (server.blame(event.reason)) event.preventDefault();
  });
  port.on("message", (question: Question) => server.answer(question));
}

/** Targets that a worker keeps ready; those that ran longest ago are stopped. */
const READY_MAX = 32;
/** The same while the worker has more than this share of its memory limit. */
const READY_SHARE = 0.5;

/** A target that is ready to run cases, and what its cases have shown. */
interface Ready {
  readonly bench: Bench;
  readonly evidence: Evidence;
  readonly guide: Guide;
}

/** One case in so many is kept as evidence where its traits are not needed otherwise. */
const SAMPLED = 16;

interface ServerSetup extends ThreadSetup {
  readonly profile?: Profile | undefined;
  /** A clock in milliseconds; that of the runtime by default. */
  readonly now?: () => number;
}

/** Answers the questions to a worker, in whatever thread it is. */
export class Server {
  readonly #targets: readonly Target[];
  readonly #setup: ServerSetup;
  readonly #say: (said: FromWorker) => void;
  readonly #heartbeat: Heartbeat;
  readonly #now: () => number;
  /** By name of the target, in the order in which they ran last. */
  readonly #ready = new Map<string, Ready>();
  #made = 0;
  #current: Bench | undefined;

  constructor(
    targets: readonly Target[],
    setup: ServerSetup,
    say: (said: FromWorker) => void,
  ) {
    this.#targets = targets;
    this.#setup = setup;
    this.#say = say;
    this.#now = setup.now ?? (() => performance.now());
    this.#heartbeat = new Heartbeat(setup.heartbeat);
    this.#heartbeat.enter("idle");
    say({ say: "ready" });
  }

  blame(error: unknown): boolean {
    return this.#current?.blame(error) === true;
  }

  async answer(question: Question): Promise<void> {
    let answer: Answer;
    try {
      answer = await this.#answerTo(question);
      this.#heartbeat.enter("idle");
      await this.#setup.profile?.takeSometimes();
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
    if (question.ask === "profile") {
      await this.#setup.profile?.take();
      return { say: "profiled" };
    }
    const { ref } = question;
    if (question.ask === "shrink") return await this.#shrink(question);
    if (question.ask === "dossier") {
      const bench = this.#newBench(ref.target);
      return { say: "dossier", dossier: dossierOf(bench.target, bench.caseOf(ref).value) };
    }
    const { bench } = await this.#started(ref.target);
    const { value } = bench.caseOf(ref);
    const attempt = await bench.run(value);
    const about = isFault(attempt) ? attempt.about : undefined;
    return { say: "replayed", attempt, dossier: dossierOf(bench.target, value, about) };
  }

  #newBench(name: string): Bench {
    const target = this.#targets.find((it) => it.name === name);
    if (target === undefined) throw new Error(`unknown target ${name}`);
    const { directory, tools } = this.#setup;
    const own = join(directory, `case-${this.#made++}`);
    const scratch = new Scratch(own, tools, (step) => this.#heartbeat.at(step));
    return new Bench(target, { scratch, heartbeat: this.#heartbeat, now: this.#now });
  }

  /** The target, ready to run cases. */
  async #started(name: string): Promise<Ready> {
    let ready = this.#ready.get(name);
    this.#ready.delete(name);
    if (ready === undefined) {
      await this.#makeRoom();
      const bench = this.#newBench(name);
      this.#current = bench;
      await bench.start();
      ready = { bench, evidence: new Evidence(), guide: new Guide(bench.target) };
    }
    this.#ready.set(name, ready);
    this.#current = ready.bench;
    return ready;
  }

  /** Stops the targets that ran longest ago, if there are too many. */
  async #makeRoom(): Promise<void> {
    const isFull = process.memoryUsage.rss() > this.#setup.memoryMax * READY_SHARE;
    const most = isFull ? 0 : READY_MAX - 1;
    for (const [name, { bench }] of this.#ready) {
      if (this.#ready.size <= most) return;
      this.#ready.delete(name);
      await bench.stop();
    }
  }

  async #runCases(
    ready: Ready,
    question: Extract<Question, { ask: "cases" }>,
  ): Promise<Answer> {
    const { bench, evidence } = ready;
    const { range, milliseconds, known, causes = [] } = question;
    const { stride = 1 } = range;
    const gains = new Gains(ready, question);
    const tally = new Tally();
    const names = new Set(known);
    const met: Met[] = [];
    const until = this.#now() + milliseconds;
    let index = range.from;
    let trouble: string | undefined;
    for (; index < range.to && trouble === undefined; index += stride) {
      const isOver = this.#heartbeat.stopped || this.#now() >= until;
      if (isOver && index > range.from) break;
      const next = gains.next(index);
      if (next === undefined) continue;
      const traits = traitsOf(bench, next.value, { causes, index });
      const pending = isLeftOut(bench, evidence, { traits, index, causes })
        ? LEFT_OUT
        : bench.run(next.value);
      const attempt = pending instanceof Promise ? await pending : pending;
      if (!isFault(attempt)) {
        tally.add(attempt);
        gains.passed(index, next, attempt);
        if (attempt.skipped === undefined) evidence.passed(traits, causes);
      } else if (isTrouble(attempt)) trouble = attempt.message;
      else {
        const cause = knownCauseOf(attempt, traits, causes);
        if (cause !== undefined) evidence.failed(cause);
        tally.fail(cause?.id ?? attempt.signature);
        const name = nameOf(attempt);
        gains.failed(index, name);
        if (cause === undefined && !names.has(name)) {
          met.push({ index, fault: attempt, ...caseIn(next) });
        }
        if (cause === undefined) names.add(name);
      }
    }
    return {
      say: "ran",
      to: index,
      counts: tally.counts(),
      met,
      ...gains.all,
      resident: process.memoryUsage.rss(),
      ...(trouble === undefined ? {} : { trouble }),
    };
  }

  async #shrink(question: Extract<Question, { ask: "shrink" }>): Promise<Answer> {
    const { ref, fault, after, causes = [] } = question;
    const { bench, evidence } = await this.#started(ref.target);
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
      passing: evidence.passing,
    });
    return { say: "shrunk", shrunk: { ...shrunk, cause } };
  }
}

function caseIn({ json }: NextCase): { readonly case?: Json } {
  return json === undefined ? {} : { case: json };
}

/** The traits of a case; none where they are not needed. */
function traitsOf(
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

function isLeftOut(
  { target }: Bench,
  evidence: Evidence,
  { traits, index, causes }: {
    traits: readonly string[];
    index: number;
    causes: readonly KnownCause[];
  },
): boolean {
  const { avoided = [] } = target.causes ?? {};
  const deciding = causes.filter((cause) => evidence.mostlyFails(cause));
  return traits.length > 0 && isSteered({ traits, index }, { causes: deciding, avoided });
}
