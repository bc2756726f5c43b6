import type { CaseFile } from "../engine/mod.ts";
import type { Action } from "./step.ts";

/** The files of an image and its passphrases, as a writer gets them. */
export interface Start {
  /** First the image, then the files that it refers to. */
  readonly files: readonly CaseFile[];
  /** Name of the format. */
  readonly format: string;
  /** Name of the file with the detached header of the image, which is the next one. */
  readonly header?: string;
  /** The right passphrases, from the top image down. */
  readonly passphrases: readonly string[];
}

/** Something that changes an image. */
export interface Writer {
  /** Name of the writer in signatures. */
  readonly name: string;
  /** Takes over the files of an image. Those of a writer before are not used any more. */
  load(start: Start): void;
  /**
   * Applies an action, or notes it for later where it cannot be rejected.
   *
   * @returns why the action was rejected
   * @throws {Failure} if an earlier action failed
   */
  apply(action: Action): Promise<string | undefined> | string | undefined;
  /** Completes everything. The files are as the writer leaves them when it closes the image. */
  settle(): Promise<void> | void;
  /** The files as they are now, after `settle`. */
  files(): readonly CaseFile[];
}
