import type { ArtifactContent, Versions } from "./artifact.ts";
import type { Ledger, LedgerEntry } from "./causes.ts";
import type { Finding } from "./finding.ts";
import type { Corpus } from "./kept/corpus.ts";
import type { Replay } from "./replay.ts";
import type { EarlierCase } from "./earlier.ts";
import type { Counts } from "./tally.ts";
import type { Target } from "./target.ts";
import type { Shard, TargetEnd } from "./target_run.ts";
import type { ToolName } from "../../src/peers/mod.ts";

/** The settings of a run. */
export interface Plan {
  readonly targets: readonly Target[];
  /** 0 to 2^32 - 1. */
  readonly seed: number;
  /** Time for all targets together, in milliseconds; `Infinity` for no limit. */
  readonly milliseconds: number;
  /** Time after the targets for making failures smaller. */
  readonly shrinkMilliseconds: number;
  /** Cases of each target; `Infinity` for no limit. */
  readonly runs: number;
  /** The cases of this run; all by default. */
  readonly shard?: Shard;
  /** Cases of earlier runs, which run first. */
  readonly stored?: readonly EarlierCase[];
  /** The folder for artifacts. */
  readonly artifacts: string;
  /** A share of the cases are mutations of cases that have shown something new; by default none. */
  readonly guided?: boolean;
  /** Cases that run first, and where those that show something new are kept. */
  readonly corpus?: Corpus;
  readonly versions: Versions;
  /** Slugs of all rules that a case can break. */
  readonly rules: readonly string[];
  /** Failures by cause, with those that are known before the run; empty by default. */
  readonly ledger?: Ledger;
  /** A failure that is known and is not met fails the run. */
  readonly strictKnown?: boolean;
}

/** A failure and its artifact. */
export interface ReportedFailure extends ArtifactContent {
  /** Path of the artifact, if it could be written. */
  readonly artifact?: string;
  /** Why it could not be written. */
  readonly artifactError?: string;
  /** The failure among those that are grouped by cause. */
  readonly entry?: LedgerEntry;
  /** When it was found: milliseconds after the start. */
  readonly seen?: number;
}

/** What became of a stored case. */
export interface Replayed {
  /** Path of the artifact. */
  readonly name: string;
  readonly verdict: Replay["verdict"];
  /** Target, kind and signature with which it failed, where they are known. */
  readonly target?: string;
  readonly kind?: string;
  readonly signature?: string;
  /** Why it was not run. */
  readonly reason?: string;
}

/** The progress of a target. */
export interface Progress {
  readonly target: string;
  readonly counts: Counts;
  /** Time that was spent on the target, as if all workers had run it at once. */
  readonly milliseconds: number;
}

/** The result of a target. */
export interface TargetResult extends Progress {
  readonly end: TargetEnd | `needs ${ToolName}`;
  readonly message?: string;
  /** Number of different failures. */
  readonly failures: number;
}

/** A failure, and the number of cases that showed it. */
export interface CountedEntry {
  readonly entry: LedgerEntry;
  readonly count: number;
}

/** The result of a run. */
export interface Summary {
  readonly seed: number;
  readonly results: readonly TargetResult[];
  /** All targets together. */
  readonly counts: Counts;
  readonly milliseconds: number;
  readonly failures: readonly ReportedFailure[];
  /** Failures that are grouped by cause, also known ones, and the number of cases that showed each. */
  readonly findings: readonly CountedEntry[];
  /** Rules of the catalogue that a case broke, and the others. */
  readonly reached: readonly string[];
  readonly missed: readonly string[];
  /** The exit status of the interrupt; absent if there was none. */
  readonly interrupted?: number;
  readonly status: number;
}

/** Reports the progress of a run. */
export interface Reporter {
  started(plan: Plan): void;
  /** A target has run some cases; `all` has the progress of every target. */
  progress(progress: Progress, all: readonly Progress[]): void;
  /** A stored case was run or skipped. If it fails, the failure is reported, too. */
  replayed(replayed: Replayed): void;
  /** A failure was found. It is reported again, with its artifact, when it has been made smaller. */
  found(finding: Finding): void;
  failed(failure: ReportedFailure): void;
  targetDone(result: TargetResult): void;
  finished(summary: Summary): void;
}
