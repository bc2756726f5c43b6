import { join } from "node:path";
import process from "node:process";
import { formatDuration } from "./budget.ts";
import type { Dossier } from "./dossier.ts";
import { type Fault } from "./fault.ts";
import type { Beat } from "./heartbeat.ts";
import type { Answer, CaseRef, Question } from "./protocol.ts";
import { Station } from "./station.ts";
import type { Tools } from "./target.ts";

/** What the workers of a run have in common. */
export interface CrewOptions {
  /** The module that calls `serve` with the targets. */
  readonly entry: URL;
  /** How many workers run cases. */
  readonly jobs: number;
  /** A directory that holds the workers' own ones; whoever made it removes it. */
  readonly directory: string;
  readonly tools: Tools;
  /** How long one case may take, in milliseconds. */
  readonly timeout: number;
  /** How many bytes the process may have resident. */
  readonly memoryMax: number;
}

/** How often the workers are looked at, in milliseconds. */
const WATCH_INTERVAL = 50;

/** How long a target may take to prepare itself, where the limit of a case is less. */
const START_MAX = 30_000;

/**
 * How large a JavaScript heap may get, as a share of the memory. Deno says nothing of a worker whose
 * heap is full, and V8's own limit takes the process down, so that the watch must be there first.
 */
const HEAP_SHARE = 2;

/** Share of the memory by which the process must grow during a case for the case to be blamed. */
const BLAMED_SHARE = 0.25;

/** Share of the memory at which a run ends although no case is to blame. */
const EXHAUSTED_SHARE = 1.5;

/** The workers of a run. A worker that spins is left behind and keeps a processor busy to the end. */
export class Crew {
  readonly options: CrewOptions;
  readonly #stations: (Station | undefined)[];
  #made = 0;
  #hung = 0;
  #interrupted = false;

  constructor(options: CrewOptions) {
    this.options = options;
    this.#stations = new Array(options.jobs).fill(undefined);
  }

  /** The worker for a job; a new one where the last one is gone. */
  station(job: number): Station {
    const known = this.#stations[job];
    if (known !== undefined && !known.left) return known;
    const made = this.#make();
    this.#stations[job] = made;
    return made;
  }

  /** Leaves behind a worker that does not answer any more. */
  abandon(station: Station): void {
    this.#hung++;
    station.leave();
  }

  /** How many workers spin on, unheard. */
  get hung(): number {
    return this.#hung;
  }

  /** Asks everyone to finish early. */
  interrupt(): void {
    this.#interrupted = true;
  }

  get interrupted(): boolean {
    return this.#interrupted;
  }

  /** Why a worker is to be given up, and at what; `undefined` while there is no reason to. */
  verdictOn(
    station: Station,
    { memory } = { memory: true },
  ): { beat: Beat; fault: Fault } | undefined {
    const { beat, milliseconds, grown } = station.standing();
    if (beat.phase === "idle") return undefined;
    const { timeout, memoryMax } = this.options;
    const limit = beat.phase === "starting" ? Math.max(timeout, START_MAX) : timeout;
    if (milliseconds >= limit) return { beat, fault: timeoutFault(limit, beat) };
    const resident = process.memoryUsage.rss();
    // What was there before the case cannot be laid at its door.
    if (memory && resident > memoryMax && grown > memoryMax * BLAMED_SHARE) {
      return { beat, fault: memoryFault(resident, memoryMax) };
    }
    return undefined;
  }

  /** Memory is used up, and no single case did it. */
  get exhausted(): boolean {
    return process.memoryUsage.rss() > this.options.memoryMax * EXHAUSTED_SHARE;
  }

  /** Calls `look` every now and then; the result stops that. */
  watch(look: () => void): () => void {
    const timer = setInterval(look, Math.min(WATCH_INTERVAL, this.options.timeout / 4));
    return () => clearInterval(timer);
  }

  /** Asks a fresh worker one question, and gives up on it as on any other. */
  async ask(question: Question): Promise<Answer | Fault> {
    const station = this.#make();
    // A case is described while the worker that it filled the memory of is still at it.
    const memory = question.ask !== "dossier";
    let stopWatching = () => {};
    try {
      return await new Promise((resolve) => {
        station.ask(question, {
          answer: resolve,
          died: (fault) => {
            // Before a worker is at a case it dies of what it was loaded from.
            const early = station.standing().beat.phase === "starting";
            resolve(early ? { say: "refused", message: fault.message } : fault);
          },
        });
        stopWatching = this.watch(() => {
          const verdict = this.verdictOn(station, { memory });
          if (verdict === undefined) return;
          this.abandon(station);
          resolve(verdict.fault);
        });
      });
    } finally {
      stopWatching();
      if (!station.left) station.leave();
    }
  }

  /** Everything about a case of which only the place is known; `undefined` where it cannot be had. */
  async dossier(ref: CaseRef): Promise<Dossier | undefined> {
    const answer = await this.ask({ ask: "dossier", ref });
    return "say" in answer && answer.say === "dossier" ? answer.dossier : undefined;
  }

  /** Lets all workers go. */
  dismiss(): void {
    for (const station of this.#stations) {
      if (station !== undefined && !station.left) station.leave();
    }
  }

  #make(): Station {
    const { entry, directory, tools, memoryMax } = this.options;
    return new Station({
      entry,
      directory: join(directory, `worker-${this.#made++}`),
      tools,
      heapMax: memoryMax * HEAP_SHARE,
    });
  }
}

function timeoutFault(limit: number, beat: Beat): Fault {
  const doing = beat.phase === "generating" ? "generating the case" : "running the case";
  return {
    kind: "timeout",
    signature: "timeout",
    message: `No answer within ${formatDuration(limit)} of ${doing}`,
    stack: [],
  };
}

function memoryFault(resident: number, limit: number): Fault {
  const inMebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
  return {
    kind: "oom",
    signature: "out of memory",
    message: `${inMebibytes(resident)} resident, where ${inMebibytes(limit)} are allowed`,
    stack: [],
  };
}
