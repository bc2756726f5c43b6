/** A permission that a verb needs in addition to reading files. */
export type Permission = "write" | "run" | "env";

/** A verb, as its module exports it. */
export interface Verb {
  /** The whole text of `--help`, with an example. */
  readonly help: string;
  /** Does what takes more permissions than the verb has, before they are dropped. */
  prepare?(args: string[]): void;
  /**
   * Runs the verb.
   *
   * @param args what follows the verb on the command line
   * @returns the exit status
   * @throws {UsageError} when the command line or an input file cannot be used
   * @throws {ImageError} when the image is at fault
   */
  run(args: string[]): Promise<number>;
}

/** A verb in the list of a program. Its module is loaded when the verb is called. */
export interface VerbEntry {
  /** The name on the command line. */
  readonly name: string;
  /** One line for the list of verbs. */
  readonly summary: string;
  /** The heading under which the list of verbs has it. */
  readonly group: string;
  /**
   * The permissions that the verb needs in addition to reading files. All others are dropped before
   * it runs.
   */
  readonly needs: readonly Permission[];
  /** What an option makes it do beyond that, by the name of the option: `--write`. */
  readonly needsWith?: Readonly<Record<string, readonly Permission[]>>;
  /**
   * The verb works on this repository: it runs in the folder of deno.json, where `deno task` starts
   * it, not in the user's folder.
   */
  readonly inProject?: boolean;
  /** Loads the module of the verb. */
  load(): Promise<Verb>;
}

/** An error that the user can fix. Shown as one line; exit status 2. */
export class UsageError extends Error {
  /** The name of the class. */
  static override readonly name: string = "UsageError";

  constructor(message: string) {
    super(message);
    this.name = UsageError.name;
  }
}

/** An image that cannot do what was requested. Shown as one line; exit status 1. */
export class ImageError extends Error {
  /** The name of the class. */
  static override readonly name: string = "ImageError";

  constructor(message: string) {
    super(message);
    this.name = ImageError.name;
  }
}
