import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Dossier } from "./dossier.ts";
import type { Answer, CaseRef, Question, WorkerSetup } from "./protocol.ts";
import type { Tools } from "./target.ts";
import type { Worker } from "./worker.ts";

/** What the workers of a run have in common. */
export interface CrewOptions {
  /**
   * Starts a worker.
   *
   * @throws {HarnessError} when that is not possible
   */
  readonly hire: (setup: WorkerSetup) => Worker;
  /** How many workers run cases. */
  readonly jobs: number;
  /** A directory that holds the workers' own ones; whoever made it removes it. */
  readonly directory: string;
  readonly tools: Tools;
  /** How long one case may take, in milliseconds. */
  readonly timeout: number;
  /** How many bytes one worker may have resident. */
  readonly memoryMax: number;
  /** Milliseconds since some moment; the runtime's where absent. */
  readonly now?: () => number;
}

/** Exit status of a process that was interrupted by SIGINT. */
const INTERRUPTED = 130;

interface Hired {
  readonly worker: Worker;
  readonly directory: string;
}

/** The workers of a run: one for each job, and others for a single question. */
export class Crew {
  readonly options: CrewOptions;
  readonly now: () => number;
  readonly #jobs: (Hired | undefined)[];
  readonly #alive = new Set<Hired>();
  #made = 0;
  #interrupted: number | undefined;

  constructor(options: CrewOptions) {
    this.options = options;
    this.now = options.now ?? (() => performance.now());
    this.#jobs = new Array(options.jobs).fill(undefined);
  }

  /** The worker for a job; a new one where the last one is gone. */
  worker(job: number): Worker {
    const known = this.#jobs[job];
    if (known !== undefined && !known.worker.gone) return known.worker;
    if (known !== undefined) this.#clear(known);
    const hired = this.#hire();
    this.#jobs[job] = hired;
    return hired.worker;
  }

  /** Asks a fresh worker one question. */
  async once(question: Question): Promise<Answer> {
    const hired = this.#hire();
    try {
      return await hired.worker.ask(question);
    } finally {
      this.#clear(hired);
    }
  }

  /** Everything about a case of which only the place is known; `undefined` where it cannot be had. */
  async dossier(ref: CaseRef): Promise<Dossier | undefined> {
    const answer = await this.once({ ask: "dossier", ref });
    return answer.say === "dossier" ? answer.dossier : undefined;
  }

  /** Asks everyone to finish early; `status` is the exit status of a run that found nothing. */
  interrupt(status: number = INTERRUPTED): void {
    this.#interrupted ??= status;
    for (const { worker } of this.#alive) worker.stop();
  }

  /** The exit status that the run was interrupted with. */
  get interrupted(): number | undefined {
    return this.#interrupted;
  }

  /** Lets all workers go. */
  dismiss(): void {
    for (const hired of this.#alive) this.#clear(hired);
  }

  #hire(): Hired {
    const { hire, tools, timeout, memoryMax } = this.options;
    const directory = join(this.options.directory, `worker-${this.#made++}`);
    mkdirSync(directory, { recursive: true });
    const hired = { worker: hire({ directory, tools, timeout, memoryMax }), directory };
    this.#alive.add(hired);
    return hired;
  }

  #clear(hired: Hired): void {
    hired.worker.end();
    this.#alive.delete(hired);
    try {
      rmSync(hired.directory, { recursive: true, force: true });
    } catch {
      // Something that the worker started is writing still; whoever made the directory removes it.
    }
  }
}
