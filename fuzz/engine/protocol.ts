import type { Json } from "../../src/format/mod.ts";
import type { Dossier } from "./dossier.ts";
import type { Attempt, Fault } from "./fault.ts";
import type { Beat } from "./heartbeat.ts";
import type { KnownCause } from "./causes.ts";
import type { Counts } from "./tally.ts";
import type { Tools } from "./target.ts";

/** Settings of a worker. */
export interface WorkerSetup {
  /** A directory of the worker's own. */
  readonly directory: string;
  readonly tools: Tools;
  /** Time limit of a case in milliseconds. */
  readonly timeout: number;
  /** Limit of the resident memory in bytes. */
  readonly memoryMax: number;
  /** What the targets of the worker are made from, if they are not fixed. */
  readonly settings?: Json;
  /** It counts what it runs of src/. */
  readonly profiled?: true;
}

/** Cases of one target and seed, by index: `from`, `from + stride` and so on below `to`. */
export interface CaseRange {
  readonly target: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  /** 1 if it is absent. */
  readonly stride?: number;
  /** Cases that were stored, by index: they run in place of those of the seed. */
  readonly stored?: readonly Json[];
}

/** A case: how it is generated and, for a stored case, its value. */
export interface CaseRef {
  readonly target: string;
  readonly seed: number;
  readonly index: number;
  /** The shrink path from what was generated. */
  readonly path: readonly number[];
  readonly case?: Json;
  /** How the case was made smaller since: a shrink path that starts where `path` ends. */
  readonly steps?: readonly number[];
}

/** A failing case that a worker has made smaller. */
export interface Shrunk {
  readonly steps: readonly number[];
  readonly fault: Fault;
  readonly tried: number;
  readonly complete: boolean;
  /** Whether it fails again when it is read from its JSON; absent if that was not tried. */
  readonly repeats?: boolean;
  readonly dossier: Dossier;
  /** Why the case fails, for a target whose failures are grouped by cause. */
  readonly cause?: readonly string[];
}

/** A failure, as small as possible. */
export interface Found {
  readonly index: number;
  /** Empty if the case was not made smaller. */
  readonly path: readonly number[];
  readonly fault: Fault;
  /** Candidates that were run, and whether no smaller one is left. */
  readonly shrink?: { readonly tried: number; readonly complete: boolean };
  /**
   * Whether the case failed again in the same way when it was read from its JSON; absent if that was
   * not tried.
   */
  readonly repeats?: boolean;
  /** Absent if the case cannot be generated again. */
  readonly dossier?: Dossier;
  /** Why the case fails, for a target whose failures are grouped by cause. */
  readonly cause?: readonly string[];
}

/** A question to a worker, which answers one at a time. */
export type Question =
  /** Run cases until the end of the range or of the time, or until the worker is stopped. */
  | {
    readonly ask: "cases";
    readonly range: CaseRange;
    readonly milliseconds: number;
    /** Failures that are not reported again, as named by `nameOf`. */
    readonly known: readonly string[];
    /** Causes of known failures. Cases with them are run less often. */
    readonly causes?: readonly KnownCause[];
    /** A share of the cases are mutations of kept ones. */
    readonly guided?: boolean;
    /** The answer has the cases that are kept. */
    readonly keeps?: boolean;
    /** The answer has the features of each case. */
    readonly lists?: boolean;
  }
  /** Generate a case again and describe it, without running it. */
  | { readonly ask: "dossier"; readonly ref: CaseRef }
  /** Complete the counts of what the worker runs. */
  | { readonly ask: "profile" }
  /** Run one case. */
  | { readonly ask: "replay"; readonly ref: CaseRef }
  /** Make a failing case smaller. */
  | {
    readonly ask: "shrink";
    readonly ref: CaseRef;
    readonly fault: Fault;
    readonly milliseconds: number;
    /** Candidates up to this step are skipped: it ended an earlier worker. */
    readonly after?: number;
    /** Time limit of a candidate, if it is shorter than that of a case. */
    readonly timeout?: number;
    /** A candidate that fails because of one of these counts as one that passes. */
    readonly causes?: readonly KnownCause[];
  };

/** A failure in a range of cases. */
export interface Met {
  readonly index: number;
  readonly fault: Fault;
  /** The case, if no seed generates it. */
  readonly case?: Json;
}

/** A case that a worker keeps. */
export interface Kept {
  /** Its JSON. */
  readonly text: string;
  /** What no case of the worker had shown before. */
  readonly features: readonly number[];
}

/** An answer of a worker. */
export type Answer =
  | {
    readonly say: "ran";
    /** The first case that was not run. */
    readonly to: number;
    readonly counts: Counts;
    /** The first case of each failure that was not known. */
    readonly met: readonly Met[];
    /** How much of what the cases have shown no case of the target in this worker had shown before. */
    readonly novel: number;
    /** The cases that are kept, if the question requests them. */
    readonly kept?: readonly Kept[];
    /** The features of cases by index, if the question requests them. */
    readonly features?: readonly (readonly [index: number, features: readonly number[]])[];
    /** Why stored cases are none of the target, for each of them; absent if all are. */
    readonly unusable?: readonly string[];
    /** Why no more cases can be run. */
    readonly trouble?: string;
    /** Resident memory of the worker in bytes. */
    readonly resident: number;
  }
  | { readonly say: "dossier"; readonly dossier: Dossier }
  | { readonly say: "replayed"; readonly attempt: Attempt; readonly dossier: Dossier }
  | { readonly say: "profiled" }
  /** `shrunk` is absent if the case does not fail in the same way any more. */
  | { readonly say: "shrunk"; readonly shrunk?: Shrunk }
  /** The target is broken or, with `trouble`, the harness. */
  | { readonly say: "refused"; readonly message: string; readonly trouble?: true }
  | Lost;

/** The worker has ended: the case ended it, or it was stopped. */
export interface Lost {
  readonly say: "lost";
  /** What it was doing; absent if that is not known. */
  readonly beat?: Beat;
  readonly fault: Fault;
  /** It did not start. */
  readonly unready?: true;
}

/** Progress while a case is made smaller. */
export interface Smaller {
  readonly say: "smaller";
  readonly steps: readonly number[];
  readonly fault: Fault;
}

/** What the main process sends to a worker. */
export type ToWorker =
  | { readonly tell: "setup"; readonly setup: WorkerSetup }
  | { readonly tell: "question"; readonly question: Question }
  /** Finish the current question early. */
  | { readonly tell: "stop" };

/** What a worker sends to the main process. */
export type FromWorker = Answer | Smaller | { readonly say: "ready" };
