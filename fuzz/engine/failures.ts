import { writeArtifact } from "./artifact.ts";
import { type KnownCause, Ledger } from "./causes.ts";
import type { Crew } from "./crew.ts";
import { nameOf } from "./fault.ts";
import { Finding, type Origin } from "./finding.ts";
import type { Found } from "./protocol.ts";
import type { Plan, ReportedFailure, Reporter } from "./plan.ts";
import type { Causes } from "./target.ts";

/** The failures of a run: they are stored, reported, and grouped by cause. */
export class Failures {
  readonly ledger: Ledger;
  readonly #plan: Plan;
  readonly #crew: Crew;
  readonly #reporter: Reporter;
  readonly #started: number;
  readonly #all: ReportedFailure[] = [];

  /** No failures yet. */
  constructor(plan: Plan, crew: Crew, reporter: Reporter) {
    this.#plan = plan;
    this.#crew = crew;
    this.#reporter = reporter;
    this.#started = crew.now();
    this.ledger = plan.ledger ?? new Ledger();
  }

  /** Those that were reported. */
  get all(): readonly ReportedFailure[] {
    return this.#all;
  }

  /** The causes of known failures; `undefined` if those of the target are not grouped by cause. */
  causesFor(target: string): readonly KnownCause[] | undefined {
    const { group } = this.#causesIn(target) ?? {};
    return group === undefined ? undefined : this.ledger.causesOf(group);
  }

  /** Makes the remaining failures smaller within `shrinkMilliseconds`, and reports them. */
  async settleAll(remaining: readonly Finding[]): Promise<void> {
    const crew = this.#crew;
    const { jobs } = crew.options;
    const unsettled = [...remaining];
    const until = crew.now() + this.#plan.shrinkMilliseconds;
    const names = new Set(unsettled.map(({ target, fault }) => `${target} ${nameOf(fault)}`));
    for (const { target, found } of this.#all) names.add(`${target} ${nameOf(found.fault)}`);
    const met = (origin: Origin) => {
      const name = `${origin.ref.target} ${nameOf(origin.fault)}`;
      if (!names.has(name)) unsettled.push(new Finding(origin));
      names.add(name);
    };
    await Promise.all(Array.from({ length: jobs }, async (_, job) => {
      for (let finding = unsettled.shift(); finding !== undefined; finding = unsettled.shift()) {
        const left = crew.interrupted === undefined ? Math.max(0, until - crew.now()) : 0;
        // The remaining failures share the remaining time; `jobs` of them use it at once.
        const milliseconds = left * Math.min(1, jobs / (unsettled.length + 1));
        const causes = this.causesFor(finding.target);
        const means = { crew, job, milliseconds, met, ...(causes === undefined ? {} : { causes }) };
        if (!finding.settled) await finding.shrink(means);
        await this.report(finding);
      }
    }));
  }

  /** Stores and reports a failure, unless it is one that is known by its cause. */
  async report(finding: Finding): Promise<void> {
    const { timeout } = this.#crew.options;
    const found = await finding.found(this.#crew);
    const { group, isUsual = () => false } = this.#causesIn(finding.target) ?? {};
    const smallest = found.dossier?.traits ?? [];
    const settled = group === undefined ? undefined : this.ledger.settle({
      group,
      signature: found.fault.signature,
      cause: found.cause ?? [],
      smallest,
      special: smallest.filter((trait) => !isUsual(trait)),
      complete: found.shrink?.complete === true,
    });
    if (settled?.isNew === false && (settled.entry.known || !settled.isRefined)) return;
    const kept = this.#keep({ target: finding.target, seed: finding.seed, found, timeout });
    const failure = settled === undefined
      ? kept
      : { ...kept, entry: settled.entry, seen: finding.seen - this.#started };
    for (const { id } of settled?.absorbed ?? []) {
      const gone = this.#all.findIndex(({ entry }) => entry?.id === id);
      if (gone >= 0) this.#all.splice(gone, 1);
    }
    const at = this.#all.findIndex(({ entry }) => entry !== undefined && entry === settled?.entry);
    if (at >= 0) {
      // The first one was not as small, which its artifact is still there to show.
      this.#all[at] = { ...failure, seen: this.#all[at]?.seen ?? 0 };
      return;
    }
    this.#all.push(failure);
    this.#reporter.failed(failure);
  }

  /** Reports the failure of an artifact, unless another one was reported for it. */
  reportAgain(
    found: Found,
    stored: { readonly target: string; readonly seed: number; readonly artifact: string },
  ): void {
    const isSame = ({ target, found: other }: ReportedFailure) =>
      target === stored.target && nameOf(other.fault) === nameOf(found.fault);
    if (this.#all.some(isSame)) return;
    const { timeout } = this.#crew.options;
    const failure = { ...stored, found, timeout, versions: this.#plan.versions };
    this.#all.push(failure);
    this.#reporter.failed(failure);
  }

  #keep(facts: { target: string; seed: number; found: Found; timeout: number }): ReportedFailure {
    const { versions, artifacts } = this.#plan;
    const content = { ...facts, versions };
    try {
      return { ...content, artifact: writeArtifact(artifacts, content) };
    } catch (error) {
      // A failure that cannot be stored is still a failure.
      return { ...content, artifactError: error instanceof Error ? error.message : String(error) };
    }
  }

  #causesIn(target: string): Causes<never> | undefined {
    return this.#plan.targets.find(({ name }) => name === target)?.causes;
  }
}
