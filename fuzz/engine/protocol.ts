import type { Json } from "../../src/format/mod.ts";
import type { Dossier } from "./dossier.ts";
import type { Attempt, Fault } from "./fault.ts";
import type { Counts } from "./tally.ts";
import type { Tools } from "./target.ts";

/** What a worker is given when it starts. */
export interface WorkerSetup {
  /** Of a `Heartbeat`. */
  readonly heartbeat: SharedArrayBuffer;
  /** A directory of the worker's own; it need not exist. */
  readonly directory: string;
  readonly tools: Tools;
}

/** A share of a run: cases of one target, as many as the baton gives within the time. */
export interface Slot {
  readonly target: string;
  readonly seed: number;
  /** Index at which the target is done. */
  readonly runs: number;
  /** Time for cases; `Infinity` where only `runs` counts. Time spent on failures comes on top. */
  readonly milliseconds: number;
  /** Time for shrinking. Each failure gets half of what is left. */
  readonly shrinkMilliseconds: number;
  /** Of a `Baton`. */
  readonly baton: SharedArrayBuffer;
}

/** A case by where it comes from, and by itself where it was stored. */
export interface CaseRef {
  readonly target: string;
  readonly seed: number;
  readonly index: number;
  readonly path: readonly number[];
  readonly case?: Json;
}

/** Why a worker is done with its share. */
export type SlotEnd =
  | { readonly reason: "time" | "runs" | "stopped" }
  /** The harness or a tool cannot do its work, or the target itself is broken. */
  | { readonly reason: "trouble" | "broken"; readonly message: string };

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
  | { readonly ask: "slot"; readonly slot: Slot }
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
  };

/** What a worker says. */
export type Answer =
  | { readonly say: "counts"; readonly counts: Counts }
  /** A new failure, before it is shrunk. */
  | { readonly say: "met"; readonly index: number; readonly fault: Fault }
  | { readonly say: "found"; readonly found: Found }
  | { readonly say: "done"; readonly counts: Counts; readonly end: SlotEnd }
  | { readonly say: "dossier"; readonly dossier: Dossier }
  | { readonly say: "replayed"; readonly attempt: Attempt; readonly dossier: Dossier }
  /** `found` is absent where the case cannot be shrunk any more, for the reason given. */
  | { readonly say: "shrunk"; readonly found?: Found; readonly reason?: string }
  /** The question has no answer. */
  | { readonly say: "refused"; readonly message: string };
