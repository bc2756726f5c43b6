import { basename, dirname, join, resolve } from "node:path";
import { type ByteSource, isZero, readUpTo, type Segment } from "../bytes/mod.ts";
import { whyUnreadable } from "./reasons.ts";
import { UsageError } from "./verb.ts";

/** Signals that ask the program to end, and the exit status when it does. */
const SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM"] as const;
const INTERRUPTED = 130;
/** Sent by a write beyond the file size limit of the process; with a listener, the write fails instead. */
const TOO_LARGE = "SIGXFSZ";

function goOn(): void {}

/** Modes of a new file, before the umask. */
const MODE = 0o666;
const PRIVATE_MODE = 0o600;

/** A file that is being written. */
export interface NewFile {
  write(part: Segment): void;
  /** Sets its length in bytes; parts that were not written are holes. */
  setLength(length: number): void;
}

/** The files to write. */
export interface NewFiles {
  /** Names of the files; the last one is renamed last. */
  readonly paths: readonly string[];
  /** Replace existing files. */
  readonly force: boolean;
  /** Names of the files that the content is read from. */
  readonly reads: readonly string[];
  /** Make them readable only for their owner. */
  readonly secret: boolean;
}

/** Signals wait for so long, in milliseconds. */
const PAUSE_EVERY = 50;

/** Lets signals be handled while files are written. */
export class Pauses {
  #last = performance.now();

  /** Whether the next pause is due. */
  get due(): boolean {
    return performance.now() - this.#last >= PAUSE_EVERY;
  }

  async pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#last = performance.now();
  }
}

/**
 * Writes files completely or not at all: under temporary names first.
 *
 * @throws {UsageError} when one of them exists already, or cannot be written
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
    for (const partial of partials) partial.flush();
    // A signal since the last pause still counts.
    await new Pauses().pause();
    paths.forEach((path) => mustBeFree(path, { force, reads, others: [] }));
    for (const partial of partials) partial.keep();
  } catch (error) {
    discard();
    throw error;
  } finally {
    for (const signal of SIGNALS) Deno.removeSignalListener(signal, interrupt);
    // The listener for TOO_LARGE stays: the runtime handles the signal some time after the write has
    // failed, and ends the process when there is no listener by then.
  }
}

/** As many zeros in a row become a hole. */
const BLOCK = 65536;
/** Bytes that are copied at a time. */
const CHUNK = 16 * BLOCK;

/** Writes bytes, with holes for zeros. */
export function writeBlocks(file: NewFile, { offset, bytes }: Segment): void {
  for (let at = 0; at < bytes.length; at += BLOCK) {
    const block = bytes.subarray(at, at + BLOCK);
    if (!isZero(block)) file.write({ offset: offset + at, bytes: block });
  }
}

/** Copies a source to a file, with holes for zeros. */
export async function copyTo(source: ByteSource, file: NewFile): Promise<void> {
  file.setLength(source.size);
  const pauses = new Pauses();
  for (let offset = 0; offset < source.size; offset += CHUNK) {
    if (pauses.due) await pauses.pause();
    writeBlocks(file, { offset, bytes: readUpTo(source, offset, CHUNK) });
  }
}

/** Bytes that are written at a time, where parts are adjacent. */
const JOINED_MAX = 2 ** 20;
/** Parts of this length are written without a copy. */
const DIRECT_MIN = 2 ** 18;

/** A file under its temporary name. */
class Partial implements NewFile {
  readonly #path: string;
  readonly #partial: string;
  readonly #file: Deno.FsFile;
  #open = true;
  /** Where the file is positioned, after the last write. */
  #position = 0;
  /** Adjacent parts that wait to be written together, and where they belong. */
  readonly #joined = new Uint8Array(JOINED_MAX);
  #start = 0;
  #length = 0;

  constructor(path: string, mode: number) {
    this.#path = path;
    this.#partial = join(dirname(path), `.${basename(path)}.${crypto.randomUUID()}.partial`);
    const options = { write: true, createNew: true, mode };
    this.#file = this.#try(() => Deno.openSync(this.#partial, options));
  }

  write({ offset, bytes }: Segment): void {
    const isAdjacent = offset === this.#start + this.#length;
    if (!isAdjacent || this.#length + bytes.length > JOINED_MAX || bytes.length >= DIRECT_MIN) {
      this.flush();
      this.#start = offset;
    }
    if (this.#length === 0 && bytes.length >= DIRECT_MIN) return this.#write({ offset, bytes });
    this.#joined.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Writes the parts that wait. */
  flush(): void {
    if (this.#length === 0) return;
    const bytes = this.#joined.subarray(0, this.#length);
    this.#length = 0;
    this.#write({ offset: this.#start, bytes });
  }

  #write({ offset, bytes }: Segment): void {
    this.#try(() => {
      if (offset !== this.#position) this.#file.seekSync(offset, Deno.SeekMode.Start);
      writeAll(this.#file, bytes);
      this.#position = offset + bytes.length;
    });
  }

  setLength(length: number): void {
    this.flush();
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
      const missing = missingFolder(this.#path);
      const why = missing === undefined
        ? whyUnreadable(error)
        : `the folder ${missing} does not exist`;
      throw notWritten(this.#path, why);
    }
  }
}

/** Writes all bytes of a part. */
export function writeAt(file: Deno.FsFile, { offset, bytes }: Segment): void {
  file.seekSync(offset, Deno.SeekMode.Start);
  writeAll(file, bytes);
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

/** The topmost folder of a path that does not exist; `undefined` where all of them do. */
function missingFolder(path: string): string | undefined {
  let missing: string | undefined;
  let folder = dirname(path);
  while (isMissing(folder) && missing !== folder) {
    missing = folder;
    folder = dirname(folder);
  }
  return missing;
}

function isMissing(path: string): boolean {
  try {
    Deno.realPathSync(path);
    return false;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}

function mustBeFree(
  path: string,
  { force, reads, others }: {
    readonly force: boolean;
    readonly reads: readonly string[];
    readonly others: readonly string[];
  },
): void {
  if (path === "-") {
    throw notWritten(path, "images are not written to a pipe (a file with the name - is ./-)");
  }
  if (others.some((other) => resolve(other) === resolve(path))) {
    throw notWritten(path, "it is named for two files");
  }
  const real = realPathOf(path);
  if (real === undefined) return;
  if (reads.some((other) => realPathOf(other) === real)) {
    throw notWritten(path, "it is one of the input files");
  }
  if (!force) throw notWritten(path, "it exists already (--force replaces it)");
  if (!Deno.statSync(real).isFile) throw notWritten(path, "it is not a regular file");
}

/** The path without symbolic links; `undefined` where it leads nowhere. */
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
