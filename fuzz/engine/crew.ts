import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import type { Json } from "../../src/format/mod.ts";
import type { Dossier } from "./dossier.ts";
import { PROFILE } from "./profile.ts";
import type { Answer, CaseRef, Question, WorkerSetup } from "./protocol.ts";
import type { Tools } from "./target.ts";
import type { Worker } from "./worker.ts";

/** Settings of all workers of a run. */
export interface CrewOptions {
  /**
   * Starts a worker.
   *
   * @throws {HarnessError} when that is not possible
   */
  readonly hire: (setup: WorkerSetup) => Worker;
  /** Number of workers that run cases. */
  readonly jobs: number;
  /** Parent of the workers' directories. The caller removes it. */
  readonly directory: string;
  readonly tools: Tools;
  /** Time limit of a case in milliseconds. */
  readonly timeout: number;
  /** Limit of the resident memory of one worker, in bytes. */
  readonly memoryMax: number;
  /** What the targets of the workers are made from, if they are not fixed. */
  readonly settings?: Json;
  /** Where the counts of what the workers run of src/ go; they are not counted if it is absent. */
  readonly profiles?: string;
  /** A clock in milliseconds; that of the runtime by default. */
  readonly now?: () => number;
}

/** Exit status of a program that SIGINT ends. */
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

  /** The worker of a job; a new one if the last one is gone. */
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

  /** Describes a case in a fresh worker; `undefined` if that fails. */
  async dossier(ref: CaseRef): Promise<Dossier | undefined> {
    const answer = await this.once({ ask: "dossier", ref });
    return answer.say === "dossier" ? answer.dossier : undefined;
  }

  /** Ends the run early. `status` is its exit status if it has found nothing. */
  interrupt(status: number = INTERRUPTED): void {
    this.#interrupted ??= status;
    for (const { worker } of this.#alive) worker.stop();
  }

  /** The exit status of the interrupt; `undefined` if there was none. */
  get interrupted(): number | undefined {
    return this.#interrupted;
  }

  /** Ends all workers after they have completed the counts of what they have run. */
  async dismissed(): Promise<void> {
    if (this.options.profiles !== undefined) {
      for (const hired of this.#jobs) await hired?.worker.ask({ ask: "profile" });
    }
    this.dismiss();
  }

  /** Ends all workers. */
  dismiss(): void {
    for (const hired of this.#alive) this.#clear(hired);
  }

  #hire(): Hired {
    const { hire, tools, timeout, memoryMax, settings, profiles } = this.options;
    const directory = join(this.options.directory, `worker-${this.#made++}`);
    mkdirSync(directory, { recursive: true });
    const more = {
      ...(settings === undefined ? {} : { settings }),
      ...(profiles === undefined ? {} : { profiled: true as const }),
    };
    const hired = { worker: hire({ directory, tools, timeout, memoryMax, ...more }), directory };
    this.#alive.add(hired);
    return hired;
  }

  #clear(hired: Hired): void {
    hired.worker.end();
    this.#alive.delete(hired);
    this.#saveProfile(hired);
    try {
      rmSync(hired.directory, { recursive: true, force: true });
    } catch {
      // A tool of the worker may still be writing. The caller removes the parent directory.
    }
  }

  #saveProfile({ directory }: Hired): void {
    const { profiles } = this.options;
    const own = join(directory, PROFILE);
    if (profiles === undefined || !existsSync(own)) return;
    mkdirSync(profiles, { recursive: true });
    renameSync(own, join(profiles, basename(directory)));
  }
}
