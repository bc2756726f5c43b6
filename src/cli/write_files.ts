import { basename, dirname, join, resolve } from "node:path";
import type { Segment } from "../bytes/mod.ts";
import { whyUnreadable } from "./reasons.ts";
import { UsageError } from "./verb.ts";

/** Signals that ask the program to end, and the exit status when it does. */
const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const INTERRUPTED = 130;

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
}

/**
 * Writes files that are there as a whole or not at all: under other names first.
 *
 * @throws {UsageError} when one of them is there already, or cannot be written
 */
export async function writeFiles(
  { paths, force, reads }: NewFiles,
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
  try {
    for (const path of paths) partials.push(new Partial(path));
    await fill(partials);
    paths.forEach((path) => mustBeFree(path, { force, reads, others: [] }));
    for (const partial of partials) partial.keep();
  } catch (error) {
    discard();
    throw error;
  } finally {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, interrupt);
  }
}

/** A file under the name that it has until it is complete. */
class Partial implements NewFile {
  readonly #path: string;
  readonly #partial: string;
  readonly #file: Deno.FsFile;
  #open = true;

  constructor(path: string) {
    this.#path = path;
    this.#partial = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}.partial`);
    this.#file = this.#try(() => Deno.openSync(this.#partial, { write: true, createNew: true }));
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
