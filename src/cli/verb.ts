/** What a verb may do beyond reading files. */
export type Permission = "write" | "run";

/** What one verb of the program does. */
export interface Verb {
  readonly name: string;
  /** One line for the list of verbs. */
  readonly says: string;
  /** The whole text of `--help`, with an example. */
  readonly help: string;
  /**
   * What it does beyond reading files. Every other permission is given up before it looks at an image;
   * where nothing is said, none is.
   */
  readonly needs?: readonly Permission[];
  /**
   * Does it.
   *
   * @param args what follows the verb on the command line
   * @returns the exit status
   * @throws {UsageError} when the command line or an input file cannot be used
   * @throws {ImageError} when the image is at fault
   */
  run(args: string[]): Promise<number>;
}

/** Something that whoever typed the command can put right. Shown as one line; exit status 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** An image that does not give what was asked for. Shown as one line; exit status 1. */
export class ImageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ImageError";
  }
}
