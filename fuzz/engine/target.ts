import type * as fc from "fast-check";
import type { ByteSource } from "../../src/bytes/mod.ts";
import type { Json } from "../../src/format/mod.ts";
import type { ToolName } from "../../src/peers/mod.ts";

/** How far a reader gets into a case before it is refused. */
export type Depth = "header" | "tables" | "data" | "accepted";

/** What a run of one case tells the engine. */
export interface CaseReport {
  readonly depth: Depth;
  /** Slugs of the rules that the case breaks. */
  readonly rules: readonly string[];
  /** Names of the explained divergences that were met. */
  readonly divergences?: readonly string[];
  /** Why nothing was compared. Such a case is counted under its reason and not as a case. */
  readonly skipped?: string;
  /** Further images that the same case has tried: each counts as a case. */
  readonly more?: readonly CaseReport[];
}

/** What one side of a comparison says. */
export interface NamedAnswer {
  /** Who says it: `reference`, `model`, `qemu-img 7.2.22`. */
  readonly by: string;
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

/** What is known of a failure beyond its message. */
export interface FailureDetails {
  /** A tool has succeeded and printed what no version of it prints; the bytes are in its answer. */
  readonly kind?: "malformed-answer";
  /** What both sides say, where two answers differ. */
  readonly answers?: readonly NamedAnswer[];
  readonly about?: About;
}

/** A property that does not hold. Two failures with one signature are the same one. */
export class Failure extends Error {
  readonly signature: string;
  readonly details: FailureDetails;

  /**
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
 * Trouble of the harness or of the machine: a full disk, a missing folder. It says nothing about the
 * case and never becomes an artifact; the run ends with exit status 3.
 */
export class HarnessError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "HarnessError";
  }
}

/** The versions of the tools that work on this machine, by name. */
export type Tools = Readonly<Partial<Record<ToolName, string>>>;

/** What a target may use of the outside world. */
export interface TargetContext {
  /** A directory for files; empty at the start of each case, and emptied by the engine. */
  readonly directory: string;
  readonly tools: Tools;
}

/** A file that belongs to a case: the first one is the image, the others are what it refers to. */
export interface CaseFile {
  readonly name: string;
  readonly source: ByteSource;
}

/**
 * A property that is fuzzed. A case is a small plain value; everything else follows from it, so that
 * a case shrinks in the field's own terms and is stored as JSON.
 */
export interface Target<Case = unknown> {
  readonly name: string;
  /** One line for `fuzz --list`. */
  readonly says: string;
  /** Share of the time budget, relative to the other targets. */
  readonly weight: number;
  /** The tools without which the target has nothing to compare with. */
  readonly needs?: readonly ToolName[];
  /** Further tools that the target compares with where they are installed. */
  readonly uses?: readonly ToolName[];
  /** The target is no part of a run that names none. */
  readonly onlyByName?: boolean;
  cases(): fc.Arbitrary<Case>;
  /** The case as plain JSON, and back. */
  toJson(value: Case): Json;
  fromJson(json: Json): Case;
  /**
   * Makes a case sound again after a part of it was taken out, as a generator would. Without it, a
   * case is made smaller by dropping elements of its lists, and never members of its objects.
   *
   * @throws {Error} where it is not a case without that part
   */
  repair?(value: Case): Case;
  /** The files of the case. */
  files(value: Case): readonly CaseFile[];
  /** A few lines for a person: what the case is. */
  describe(value: Case): string;
  /** What the images of the case are opened with: public texts of the generators. */
  passphrases?(value: Case): readonly string[];
  /**
   * The bytes of the case that matter, annotated; the first rows of the image where it is absent.
   *
   * @param about what the failure is about, where it says so
   */
  excerpt?(value: Case, about?: About): string;
  /**
   * Runs one case.
   *
   * @throws {Failure} when the property does not hold; anything else that is thrown is a failure too,
   *   but for a `HarnessError` and a tool that cannot be started
   */
  run(value: Case, context: TargetContext): CaseReport | Promise<CaseReport>;
  /** Called once before the first and after the last case of a run. */
  start?(context: TargetContext): Promise<void>;
  stop?(): Promise<void>;
}
