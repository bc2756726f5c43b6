import type * as fc from "fast-check";
import type { ByteSource } from "../../src/bytes/mod.ts";
import type { Json } from "../../src/format/mod.ts";
import type { ToolName } from "../../src/peers/mod.ts";

/** How far a reader gets into a case before it rejects it. */
export type Depth = "header" | "tables" | "data" | "accepted";

/** The result of a case that did not fail. */
export interface CaseReport {
  /** How far a reader got. */
  readonly depth: Depth;
  /** Slugs of the rules that the case breaks. */
  readonly rules: readonly string[];
  /** Names of the explained divergences that it showed. */
  readonly divergences?: readonly string[];
  /** What else is remarkable about it: names. A case that is the first with one is kept. */
  readonly features?: readonly string[];
  /** Why nothing was compared. Such a case is counted under its reason and not as a case. */
  readonly skipped?: string;
  /** Results of further images of the same case. Each counts as a case. */
  readonly more?: readonly CaseReport[];
}

/** What one side of a comparison says. */
export interface NamedAnswer {
  /** Who says it: `reference`, `model`, `qemu-img 7.2.22`. */
  readonly by: string;
  /** The answer as text. */
  readonly text: string;
}

/** The part of an image that a failure is about. */
export interface About {
  /** A structure or a field: `/snapshots/0`. */
  readonly path?: string;
  /** A byte of the guest's disk. */
  readonly guestOffset?: number;
  /** Byte offset in the image file. */
  readonly offset?: number;
}

/** Details of a failure. */
export interface FailureDetails {
  /** A tool exited with success but printed a malformed answer, which contains the bytes. */
  readonly kind?: "malformed-answer";
  /** Both answers, if two answers differ. */
  readonly answers?: readonly NamedAnswer[];
  /** What the failure is about, where it is known. */
  readonly about?: About;
  /** Why the case fails, where the failure itself says so: the traits that decide. */
  readonly cause?: readonly string[];
  /** Facts for a report, as plain data. */
  readonly facts?: Json;
}

/**
 * How the failures of a target are grouped by cause, so that a run goes on past one that is known. The
 * signature of such a failure starts with its kind.
 */
export interface Causes<Case> {
  /** Targets of one group have their causes in common. */
  readonly group: string;
  /**
   * What is special about a case: names that other cases can share, such as the features of an image
   * and the rules that it breaks.
   */
  traits(value: Case): readonly string[];
  /** Whether the simplest cases have a trait. */
  isUsual(trait: string): boolean;
  /** If a cause has traits of this kind, its others do not matter. */
  isDecisive?(trait: string): boolean;
  /** Traits of cases that are expected to compare nothing. They are drawn less often. */
  readonly avoided?: readonly string[];
}

/** A property that does not hold. Failures with the same signature are the same failure. */
export class Failure extends Error {
  /** Names the one thing that differs. */
  readonly signature: string;
  /** More about the failure, for the report. */
  readonly details: FailureDetails;

  /**
   * A failure of a case.
   *
   * @param signature names the one thing that differs, and nothing else of the case
   * @param details what a report shows beside the message
   */
  constructor(signature: string, message: string, details: FailureDetails = {}) {
    super(message);
    this.name = "Failure";
    this.signature = signature;
    this.details = details;
  }
}

/**
 * Trouble of the harness or of the machine, such as a full disk or a missing folder. It says nothing about
 * the case and is never stored as an artifact. The run ends with exit status 3.
 */
export class HarnessError extends Error {
  /** Trouble with this message. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "HarnessError";
  }
}

/** The versions of the tools that work on this machine, by name. */
export type Tools = Readonly<Partial<Record<ToolName, string>>>;

/** What a target may use of the outside world. */
export interface TargetContext {
  /** A directory for files. The engine empties it after each case. */
  readonly directory: string;
  /** The tools that work on this machine. */
  readonly tools: Tools;
  /** Names the step of the case that starts now. Hangs in different steps are different failures. */
  at?(step: string): void;
}

/** A file of a case: first the image, then the files that it refers to. */
export interface CaseFile {
  /** Name of the file or target. */
  readonly name: string;
  /** The bytes of the file. */
  readonly source: ByteSource;
}

/** What a mutated case is made with. */
export interface Mutating<Case> {
  /** Random numbers that belong to the case. */
  readonly random: fc.Random;
  /** Other kept cases. */
  readonly others: readonly Case[];
  /** Draws a fresh case. */
  fresh(): Case;
}

/**
 * A property that is fuzzed. A case is a small plain value, from which everything else is built, so that
 * it can be made smaller and stored as JSON.
 */
export interface Target<Case = unknown> {
  /** Name of the file or target. */
  readonly name: string;
  /** One line for `fuzz --list`. */
  readonly says: string;
  /** Share of the time, relative to the other targets, as long as their cases show as much that is new. */
  readonly weight: number;
  /** The tools that the target requires. */
  readonly needs?: readonly ToolName[];
  /** Further tools that the target compares with if they are installed. */
  readonly uses?: readonly ToolName[];
  /** The target runs only if it is named. */
  readonly onlyByName?: boolean;
  /** Generates cases. */
  cases(): fc.Arbitrary<Case>;
  /**
   * All cases, if they are few: a run goes through them in an order that the seed gives, instead of drawing
   * some of them again and again.
   */
  listed?(): readonly Case[];
  /** The case as plain JSON, and back. */
  toJson(value: Case): Json;
  /** The inverse of `toJson`. */
  fromJson(json: Json): Case;
  /**
   * Makes a case valid after a part of it was dropped. Without this, elements of lists are dropped and
   * members of objects are not.
   *
   * @throws {Error} when there is no such case
   */
  repair?(value: Case): Case;
  /**
   * Another case like one that was kept. It may have parts of other kept cases and of a fresh one.
   *
   * @returns `undefined` where a fresh case is as good
   */
  mutate?(value: Case, parts: Mutating<Case>): Case | undefined;
  /** A case with several images with one of them alone, counted as its reports are. */
  part?(value: Case, index: number): Case;
  /** The files of the case. */
  files(value: Case): readonly CaseFile[];
  /** Describes the case in a few lines. */
  describe(value: Case): string;
  /** The passphrases of the images, which a generator made up. */
  passphrases?(value: Case): readonly string[];
  /** Failures are grouped by cause; by signature if absent. */
  readonly causes?: Causes<Case>;
  /** A shell script that does what the case does with public tools, for a report to their developers. */
  script?(value: Case): string;
  /**
   * The relevant bytes of the case, annotated; by default the first rows of the image.
   *
   * @param about what the failure is about, if it says so
   */
  excerpt?(value: Case, about?: About): string;
  /**
   * Runs one case.
   *
   * @throws {Failure} when the property does not hold. Other errors are failures too, except for a
   *   `HarnessError` and for a tool that cannot be started.
   */
  run(value: Case, context: TargetContext): CaseReport | Promise<CaseReport>;
  /** Called once before the first and after the last case of a run. */
  start?(context: TargetContext): Promise<void>;
  /** Called once after the last case of a run. */
  stop?(): Promise<void>;
}
