import { readSidecar, type Sidecar } from "./artifact.ts";
import type { Crew } from "./crew.ts";
import type { EarlierCase } from "./earlier.ts";
import type { Failures } from "./failures.ts";
import { isFault, nameOf } from "./fault.ts";
import type { Plan, Reporter } from "./plan.ts";
import type { Answer, CaseRef } from "./protocol.ts";
import { refOf, replayIn } from "./replay.ts";
import type { TargetRun } from "./target_run.ts";

/** The share of the time of a run that stored cases get. */
const SHARE = 0.1;

/** Runs stored cases. */
export class Replays {
  readonly #plan: Plan;
  readonly #crew: Crew;
  readonly #reporter: Reporter;
  readonly #failures: Failures;
  readonly #runs: readonly TargetRun[];
  readonly #stored: EarlierCase[];
  /** Milliseconds of all workers together. */
  #left: number;
  /** Artifacts by target, of targets that do not run. */
  readonly #others = new Map<string, number>();

  /** The stored cases of a plan. */
  constructor(
    plan: Plan,
    crew: Crew,
    given: { reporter: Reporter; failures: Failures; runs: readonly TargetRun[] },
  ) {
    this.#plan = plan;
    this.#crew = crew;
    this.#reporter = given.reporter;
    this.#failures = given.failures;
    this.#runs = given.runs;
    this.#stored = [...plan.stored ?? []];
    this.#left = SHARE * plan.milliseconds * crew.options.jobs;
  }

  /** Runs the next stored case on the worker of a job; `undefined` if there is none. */
  next(job: number): Promise<void> | undefined {
    while (this.#left > 0) {
      const stored = this.#stored.shift();
      if (stored === undefined) break;
      const work = stored.given === undefined
        ? this.#replay(stored, job)
        : this.#run({ seed: this.#plan.seed, index: 0, path: [], ...stored.given }, job);
      if (work !== undefined) return work;
    }
    this.#end();
    return undefined;
  }

  #replay({ name }: EarlierCase, job: number): Promise<void> | undefined {
    const sidecar = this.#read(name);
    if (sidecar === undefined) return undefined;
    const { target, kind } = sidecar;
    const run = this.#runs.find((it) => it.name === target);
    if (run === undefined) {
      this.#others.set(target, (this.#others.get(target) ?? 0) + 1);
      return undefined;
    }
    const ref = refOf(sidecar);
    const isDeadly = kind === "timeout" || kind === "oom";
    const reason = ref === undefined
      ? `'${sidecar.path}' is not the path of a case`
      : isDeadly && this.#left < this.#crew.options.timeout
      ? "there is no time for a case that hangs"
      : undefined;
    if (reason !== undefined) this.#skip(name, reason);
    return ref === undefined || reason !== undefined
      ? undefined
      : this.#judge(name, sidecar, { ref, job, run });
  }

  #read(name: string): Sidecar | undefined {
    try {
      return readSidecar(name);
    } catch (error) {
      this.#skip(name, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  async #judge(
    name: string,
    sidecar: Sidecar,
    { ref, job, run }: { ref: CaseRef; job: number; run: TargetRun },
  ): Promise<void> {
    const answer = await this.#ask(ref, job);
    if (this.#crew.interrupted !== undefined) return;
    const { verdict, fault, reason } = replayIn(sidecar, answer);
    const { target, kind, signature } = sidecar;
    const facts = { name, target, kind, signature, verdict };
    this.#reporter.replayed({ ...facts, ...(reason === undefined ? {} : { reason }) });
    if (fault === undefined) return;
    // Where failures are grouped by cause, the case is compared with those that are known.
    const isGrouped = this.#failures.causesFor(target) !== undefined;
    if (verdict === "other" || isGrouped) return run.meet({ ref, fault });
    run.know(nameOf(fault));
    const { index, path } = ref;
    const { shrink } = sidecar;
    const dossier = answer.say === "replayed" ? answer.dossier : await this.#crew.dossier(ref);
    const found = {
      ...{ index, path, fault, repeats: true },
      ...(shrink === undefined ? {} : { shrink }),
      ...(dossier === undefined ? {} : { dossier }),
    };
    this.#failures.reportAgain(found, { target, seed: sidecar.seed, artifact: name });
  }

  async #run(ref: CaseRef, job: number): Promise<void> {
    const run = this.#runs.find(({ name }) => name === ref.target);
    if (run === undefined) return;
    const answer = await this.#ask(ref, job);
    if (answer.say === "lost") run.meet({ ref, fault: answer.fault });
    if (answer.say === "replayed" && isFault(answer.attempt)) {
      run.meet({ ref, fault: answer.attempt });
    }
  }

  async #ask(ref: CaseRef, job: number): Promise<Answer> {
    const started = this.#crew.now();
    const answer = await this.#crew.worker(job).ask({ ask: "replay", ref });
    this.#left -= this.#crew.now() - started;
    return answer;
  }

  #skip(name: string, reason: string): void {
    this.#reporter.replayed({ name, verdict: "skipped", reason });
  }

  /** Reports what was not run, once. */
  #end(): void {
    const left = this.#stored.splice(0).length;
    if (left > 0) this.#skip(`${left} stored cases`, "their share of the time is over");
    const targets = [...this.#others.keys()].sort().join(", ");
    const others = [...this.#others.values()].reduce((sum, count) => sum + count, 0);
    this.#others.clear();
    if (others > 0) {
      this.#skip(`${others} artifacts`, `the run does not have their targets: ${targets}`);
    }
  }
}
