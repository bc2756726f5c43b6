import * as fc from "fast-check";
import { Crew, type CrewOptions, fuzz, type Plan, type Worker } from "../../../fuzz/engine/mod.ts";
import type { Fault } from "../../../fuzz/engine/fault.ts";
import type { Answer, Lost, Question } from "../../../fuzz/engine/protocol.ts";
import { Tally } from "../../../fuzz/engine/tally.ts";
import type { Summary } from "../../../fuzz/engine/plan.ts";
import type { ToolName } from "../../../src/peers/mod.ts";
import { HELD, toy } from "./toys.ts";

/** How a target behaves in a simulation. Times are milliseconds on its clock. */
export interface Behaviour {
  /** How long a case takes. */
  readonly caseTime: number;
  /** The signature that a case fails with; `undefined` for one that holds. */
  readonly fails?: (index: number) => string | undefined;
  /** The case takes its worker down, which says what it was at, or nothing. */
  readonly kills?: (index: number) => "hangs" | "silently" | undefined;
  /** How much of what a case shows is new. */
  readonly novel?: (index: number) => number;
  /** The tools that the target needs. */
  readonly needs?: readonly ToolName[];
  /** How long a stored case takes. */
  readonly replayTime?: number;
  /** How long it takes to make a failure as small as possible. */
  readonly shrinkTime?: number;
}

/** What a simulated run came to, and where its time went. */
export interface Simulation {
  readonly summary: Summary;
  /** All of it. */
  readonly elapsed: number;
  /** On cases and on making failures smaller, while there was time for cases. */
  readonly spent: { readonly cases: number; readonly shrinking: number };
  /** Indices of the cases that were run to their end, in order. */
  readonly ran: readonly number[];
  /** Number of stored cases that were run. */
  readonly replays: number;
  /** When each target had its first case, in order. */
  readonly starts: ReadonlyMap<string, number>;
  /** What the time went to, without a break. */
  readonly worked: readonly { readonly what: Work; readonly milliseconds: number }[];
  /** What was reported, and when. */
  readonly told: readonly { readonly event: string; readonly at: number }[];
}

type Work = "cases" | "shrinking";

const dossier = { case: null, description: "", excerpt: "", passphrases: [], files: [], gaps: [] };

/** Runs targets of which only the behaviour is known, on a clock that nobody waits for. */
export async function simulate(
  behaviours: Readonly<Record<string, Behaviour>>,
  changes: Partial<Plan> & Partial<CrewOptions> = {},
): Promise<Simulation> {
  const world = new World(behaviours);
  const directory = Deno.makeTempDirSync({ dir: "/tmp" });
  const crew = new Crew({
    hire: () => new SimulatedWorker(world),
    jobs: 1,
    directory,
    tools: {},
    timeout: 10_000,
    memoryMax: Infinity,
    now: () => world.now,
    ...changes,
  });
  const plan = {
    targets: Object.entries(behaviours).map(([name, { needs }]) => ({
      ...toy(name, fc.constant(0), () => HELD),
      ...(needs === undefined ? {} : { needs }),
    })),
    seed: 1,
    milliseconds: Infinity,
    shrinkMilliseconds: 0,
    runs: Infinity,
    artifacts: `${directory}/artifacts`,
    versions: {},
    rules: [],
    ...changes,
  };
  world.end = plan.milliseconds;
  try {
    const told: { event: string; at: number }[] = [];
    const tell = (event: string) => () => void told.push({ event, at: world.now });
    const summary = await fuzz(plan, crew, {
      started: () => {},
      progress: () => {},
      found: tell("found"),
      replayed: tell("replayed"),
      failed: tell("failed"),
      targetDone: () => {},
      finished: () => {},
    });
    const { spent, ran, replays, starts, worked } = world;
    return { summary, elapsed: world.now, spent, ran, replays, starts, worked, told };
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

class World {
  readonly behaviours: Readonly<Record<string, Behaviour>>;
  readonly spent = { cases: 0, shrinking: 0 };
  /** How long each failure has been made smaller. */
  readonly shrunk = new Map<string, number>();
  readonly ran: number[] = [];
  readonly starts = new Map<string, number>();
  readonly worked: { what: Work; milliseconds: number }[] = [];
  replays = 0;
  now = 0;
  end = Infinity;

  constructor(behaviours: Readonly<Record<string, Behaviour>>) {
    this.behaviours = behaviours;
  }

  pass(what: Work, milliseconds: number): void {
    const last = this.worked.at(-1);
    if (last?.what === what) last.milliseconds += milliseconds;
    else this.worked.push({ what, milliseconds });
    if (this.now < this.end) this.spent[what] += milliseconds;
    this.now += milliseconds;
  }
}

class SimulatedWorker implements Worker {
  readonly #world: World;
  gone = false;
  #stopped = false;

  constructor(world: World) {
    this.#world = world;
  }

  ask(question: Question): Promise<Answer> {
    return Promise.resolve(this.#answerTo(question));
  }

  stop(): void {
    this.#stopped = true;
  }

  end(): void {
    this.gone = true;
  }

  #answerTo(question: Question): Answer {
    if (question.ask === "cases") return this.#run(question);
    if (question.ask === "dossier") return { say: "dossier", dossier };
    if (question.ask === "profile") return { say: "profiled" };
    const { shrinkTime = 0, replayTime } = this.#world.behaviours[question.ref.target] ?? {};
    if (question.ask === "replay" && replayTime !== undefined) {
      this.#world.replays++;
      this.#world.now += replayTime;
      return { say: "replayed", attempt: HELD, dossier };
    }
    if (question.ask === "replay") return this.#lose(question.ref.index, "hangs");
    const { fault } = question;
    const { shrunk } = this.#world;
    const before = shrunk.get(fault.signature) ?? 0;
    const time = Math.min(shrinkTime - before, question.milliseconds);
    shrunk.set(fault.signature, before + time);
    this.#world.pass("shrinking", time);
    const complete = before + time === shrinkTime;
    return {
      say: "shrunk",
      shrunk: { steps: [], fault, tried: 1, complete, repeats: true, dossier },
    };
  }

  #run({ range, milliseconds, known }: Extract<Question, { ask: "cases" }>): Answer {
    const world = this.#world;
    const behaviour: Behaviour = world.behaviours[range.target] ?? { caseTime: 1 };
    const { caseTime, fails, kills, novel: newIn = () => 0 } = behaviour;
    if (!world.starts.has(range.target)) world.starts.set(range.target, world.now);
    let novel = 0;
    const until = world.now + milliseconds;
    const tally = new Tally();
    const met: { index: number; fault: Fault }[] = [];
    let index = range.from;
    while (index < range.to) {
      const death = kills?.(index);
      if (death !== undefined) return this.#lose(index, death);
      world.pass("cases", caseTime);
      world.ran.push(index);
      novel += newIn(index);
      const signature = fails?.(index);
      if (signature === undefined) tally.add(HELD);
      else {
        tally.fail(signature);
        const fault: Fault = { kind: "crash", signature, message: signature, stack: [] };
        const isNew = ![...known, ...met.map((it) => `crash ${it.fault.signature}`)]
          .includes(`crash ${signature}`);
        if (isNew) met.push({ index, fault });
      }
      index += range.stride ?? 1;
      if (this.#stopped || world.now >= until) break;
    }
    return { say: "ran", to: index, counts: tally.counts(), met, novel, resident: 0 };
  }

  #lose(index: number, death: "hangs" | "silently"): Lost {
    this.gone = true;
    const base = { message: "", stack: [] };
    if (death === "silently") {
      return { say: "lost", fault: { kind: "crash", signature: "worker exit", ...base } };
    }
    this.#world.pass("cases", 10_000);
    const beat = { tick: 1, phase: "running" as const, index, path: [] };
    return { say: "lost", beat, fault: { kind: "timeout", signature: "timeout", ...base } };
  }
}
