import { basename, dirname, join, resolve } from "node:path";
import type { Segment } from "../bytes/mod.ts";
import { whyUnreadable } from "./reasons.ts";
import { UsageError } from "./verb.ts";

/** Signals that ask the program to end, and the exit status when it does. */
const SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM"] as const;
const INTERRUPTED = 130;
/** What a write past the limit of a file's size sends: where it is listened to, the write fails. */
const TOO_LARGE = "SIGXFSZ";

function goOn(): void {}

/** Modes of a new file, of which the user's mask takes away. */
const MODE = 0o666;
const PRIVATE_MODE = 0o600;

/** A file that is not there yet. */
export interface NewFile {
  write(part: Segment): void;
  /** Gives it its length in bytes; what was not written is a hole. */
  setLength(length: number): void;
}

/** What is to be written. */
export interface NewFiles {
  /** Names of the files; the last one appears last. */
  readonly paths: readonly string[];
  /** Replaces files that are there. */
  readonly force: boolean;
  /** Names of files that what is written comes from. */
  readonly reads: readonly string[];
  /** Makes them for their owner alone. */
  readonly secret: boolean;
}

/** Signals wait for so long, in milliseconds. */
const PAUSE_EVERY = 50;

/** Lets signals in while files are written, which nothing else does. */
export class Pauses {
  #last = performance.now();

  /** It is time for the next one. */
  get due(): boolean {
    return performance.now() - this.#last >= PAUSE_EVERY;
  }

  async pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#last = performance.now();
  }
}

/**
 * Writes files that are there as a whole or not at all: under other names first.
 *
 * @throws {UsageError} when one of them is there already, or cannot be written
 */
export async function writeFiles(
  { paths, force, reads, secret }: NewFiles,
  fill: (files: readonly NewFile[]) => Promise<void>,
): Promise<void> {
  paths.forEach((path, index) => mustBeFree(path, { force, reads, others: paths.slice(0, index) }));
  const partials: Partial[] = [];
  const discard = (): void => partials.forEach((partial) => partial.discard());
  const interrupt = (): void => {
    discard();
    Deno.exit(INTERRUPTED);
  };
  for (const signal of SIGNALS) Deno.addSignalListener(signal, interrupt);
  Deno.addSignalListener(TOO_LARGE, goOn);
  try {
    for (const path of paths) partials.push(new Partial(path, secret ? PRIVATE_MODE : MODE));
    await fill(partials);
    // What came in since the last pause still counts.
    await new Pauses().pause();
    paths.forEach((path) => mustBeFree(path, { force, reads, others: [] }));
    for (const partial of partials) partial.keep();
  } catch (error) {
    discard();
    throw error;
  } finally {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, interrupt);
    // That of TOO_LARGE stays: the runtime looks at a signal some time after the write has failed, and
    // ends the process when nobody listens by then.
  }
}

/** A file under the name that it has until it is complete. */
class Partial implements NewFile {
  readonly #path: string;
  readonly #partial: string;
  readonly #file: Deno.FsFile;
  #open = true;

  constructor(path: string, mode: number) {
    this.#path = path;
    this.#partial = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}.partial`);
    const options = { write: true, createNew: true, mode };
    this.#file = this.#try(() => Deno.openSync(this.#partial, options));
  }

  write({ offset, bytes }: Segment): void {
    this.#try(() => writeAt(this.#file, { offset, bytes }));
  }

  setLength(length: number): void {
    this.#try(() => this.#file.truncateSync(length));
  }

  keep(): void {
    this.#close();
    this.#try(() => Deno.renameSync(this.#partial, this.#path));
  }

  discard(): void {
    this.#close();
    try {
      Deno.removeSync(this.#partial);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  #close(): void {
    if (this.#open) this.#file.close();
    this.#open = false;
  }

  #try<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      throw notWritten(this.#path, whyUnreadable(error));
    }
  }
}

/** Writes all bytes of a part. */
export function writeAt(file: Deno.FsFile, { offset, bytes }: Segment): void {
  file.seekSync(offset, Deno.SeekMode.Start);
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

function mustBeFree(
  path: string,
  { force, reads, others }: {
    readonly force: boolean;
    readonly reads: readonly string[];
    readonly others: readonly string[];
  },
): void {
  if (others.some((other) => resolve(other) === resolve(path))) {
    throw notWritten(path, "it is named for two files");
  }
  const real = realPathOf(path);
  if (real === undefined) return;
  if (reads.some((other) => realPathOf(other) === real)) {
    throw notWritten(path, "it is one of the files that are read");
  }
  if (!force) throw notWritten(path, "it is there already (--force replaces it)");
  if (!Deno.statSync(real).isFile) throw notWritten(path, "it is not a regular file");
}

/** The path without symbolic links; its own where it is one that leads nowhere. */
function realPathOf(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch {
    return undefined;
  }
}

function notWritten(path: string, reason: string): UsageError {
  return new UsageError(`Cannot write to ${path}: ${reason}`);
}
