import type { Json } from "../../src/format/mod.ts";
import type { Dossier } from "./dossier.ts";
import type { Attempt, Fault } from "./fault.ts";
import type { Beat } from "./heartbeat.ts";
import type { Counts } from "./tally.ts";
import type { Tools } from "./target.ts";

/** What a worker is given when it starts. */
export interface WorkerSetup {
  /** A directory of the worker's own. */
  readonly directory: string;
  readonly tools: Tools;
  /** How long one case may take, in milliseconds. */
  readonly timeout: number;
  /** How many bytes the worker may have resident. */
  readonly memoryMax: number;
}

/** Cases of one target under one seed, by their index: `from` and up to, without, `to`. */
export interface CaseRange {
  readonly target: string;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}

/** A case by where it comes from, and by itself where it was stored. */
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

/** What a worker made of a failing case. */
export interface Shrunk {
  readonly steps: readonly number[];
  readonly fault: Fault;
  readonly tried: number;
  readonly complete: boolean;
  /** Whether it fails again when it is read back from its JSON; absent where that was not tried. */
  readonly repeats?: boolean;
  readonly dossier: Dossier;
}

/** A failure, as small as it got. */
export interface Found {
  readonly index: number;
  /** Empty where the case was not made smaller. */
  readonly path: readonly number[];
  readonly fault: Fault;
  /** How the shrinking went, where there was any. */
  readonly shrink?: { readonly tried: number; readonly complete: boolean };
  /**
   * Whether the case failed again in the same way when it was read back from its JSON and run once
   * more; absent where that was not tried.
   */
  readonly repeats?: boolean;
  /** Absent where the case could not even be generated again. */
  readonly dossier?: Dossier;
}

/** What a worker is asked. It answers one question after the other. */
export type Question =
  /** Run cases until they are done, the time is up or the worker is told to stop. */
  | {
    readonly ask: "cases";
    readonly range: CaseRange;
    readonly milliseconds: number;
    /** Failures, as `nameOf` names them, that need not be told again. */
    readonly known: readonly string[];
  }
  /** Generate a case again and describe it, without running it. */
  | { readonly ask: "dossier"; readonly ref: CaseRef }
  /** Run one case. */
  | { readonly ask: "replay"; readonly ref: CaseRef }
  /** Make a failing case smaller. */
  | {
    readonly ask: "shrink";
    readonly ref: CaseRef;
    readonly fault: Fault;
    readonly milliseconds: number;
    /** The step that an earlier worker was lost at: candidates up to it are left out. */
    readonly after?: number;
    /** How long one candidate may take, where that is less than a case may. */
    readonly timeout?: number;
  };

/** A failure that a range of cases has met. */
export interface Met {
  readonly index: number;
  readonly fault: Fault;
}

/** What a worker says. */
export type Answer =
  | {
    readonly say: "ran";
    /** The cases before this one were run. */
    readonly to: number;
    readonly counts: Counts;
    /** The first of each failure that was not known. */
    readonly met: readonly Met[];
    /** Why no further case can be run. */
    readonly trouble?: string;
    /** Bytes that the worker has resident. */
    readonly resident: number;
  }
  | { readonly say: "dossier"; readonly dossier: Dossier }
  | { readonly say: "replayed"; readonly attempt: Attempt; readonly dossier: Dossier }
  /** `shrunk` is absent where the case does not fail in that way any more. */
  | { readonly say: "shrunk"; readonly shrunk?: Shrunk }
  /** The question has no answer: the target is broken or, with `trouble`, the harness is. */
  | { readonly say: "refused"; readonly message: string; readonly trouble?: true }
  | Lost;

/** The worker is no more: what it ran took it down, or had to be stopped. */
export interface Lost {
  readonly say: "lost";
  /** What it was at; absent where that is not known. */
  readonly beat?: Beat;
  readonly fault: Fault;
  /** It never got as far as a question. */
  readonly unready?: true;
}

/** Said in between, while a case is being made smaller. */
export interface Smaller {
  readonly say: "smaller";
  readonly steps: readonly number[];
  readonly fault: Fault;
}

/** What the main process sends to a worker. */
export type ToWorker =
  | { readonly tell: "setup"; readonly setup: WorkerSetup }
  | { readonly tell: "question"; readonly question: Question }
  /** Come to an end with the question at hand. */
  | { readonly tell: "stop" };

/** What a worker sends to the main process. */
export type FromWorker = Answer | Smaller | { readonly say: "ready" };
