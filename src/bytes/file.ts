import { fileSystem, type OpenFile } from "./file_system.ts";
import type { ByteSource } from "./source.ts";

/** A part of a file for which the file system stores nothing, in bytes. */
export interface Hole {
  /** First byte. */
  readonly start: number;
  /** Length in bytes. */
  readonly length: number;
}

/** An open file whose content is no longer available. */
export class SourceError extends Error {
  /** The name of the class. */
  static override readonly name: string = "SourceError";

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = SourceError.name;
  }
}

/** A path that does not name a regular file. */
export class NotRegularError extends TypeError {
  readonly isDevice: boolean;

  constructor(path: string, isDevice: boolean) {
    super(`Cannot read ${path}: it is not a regular file`);
    this.name = "NotRegularError";
    this.isDevice = isDevice;
  }
}

/** Maximum number of open files; a backing chain may have more. */
const OPEN_MAX = 128;
/** The open files, with the most recently read one last. */
const openFiles = new Map<FileSource, OpenFile>();

/**
 * A file, read with positional reads, so that only the requested bytes are loaded. It may be closed
 * while many other files are read, and is reopened on demand.
 */
export class FileSource implements ByteSource {
  /** Path of the file. */
  readonly path: string;
  readonly size: number;
  /** Bytes that the file system has allocated for the file, if known. */
  readonly allocated: number | undefined;
  /** Identifies the file: equal for all paths to it. */
  readonly identity: string;
  /** It is a block device. */
  readonly isDevice: boolean;
  /** The holes of the file in order, if known. */
  holes: readonly Hole[] | undefined;
  readonly #devices: boolean;
  #closed = false;

  /**
   * Opens a file for reading.
   *
   * @param how whether it may be a block device: not where an image names it
   * @throws {Error} when the path cannot be opened or is not a regular file.
   */
  constructor(path: string, how: { readonly devices?: boolean } = {}) {
    this.path = path;
    this.#devices = how.devices === true;
    const { facts } = this.#open();
    this.isDevice = facts.isBlockDevice === true;
    this.size = facts.size;
    this.allocated = facts.allocated;
    this.identity = facts.identity;
  }

  read(offset: number, length: number): Uint8Array {
    const target = new Uint8Array(length);
    this.readInto(offset, target);
    return target;
  }

  /**
   * Fills `target` with the bytes from `offset` on; past the end they are zeros.
   *
   * @throws {SourceError} when the file has become shorter since it was opened, or the device fails:
   * zeros instead of what cannot be read would be wrong bytes
   */
  readInto(offset: number, target: Uint8Array): void {
    if (this.#closed) throw new TypeError(`Cannot read ${this.path}: it is closed`);
    const wanted = Math.max(0, Math.min(target.length, this.size - offset));
    let done = 0;
    while (done < wanted) done += this.#readSome(target.subarray(done, wanted), offset + done);
    target.fill(0, done);
  }

  #readSome(target: Uint8Array, offset: number): number {
    let count: number;
    try {
      count = this.#file().readAt(offset, target);
    } catch (error) {
      if (error instanceof SourceError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new SourceError(`Cannot read ${this.path}: ${reason}`, { cause: error });
    }
    if (count > 0) return count;
    throw new SourceError(`Cannot read ${this.path}: it has become shorter since it was opened`);
  }

  /** Opens the file if necessary and marks it as the most recently read one. */
  #file(): OpenFile {
    const open = openFiles.get(this);
    if (open === undefined) return this.#reopen();
    if (openFiles.size > 1) {
      openFiles.delete(this);
      openFiles.set(this, open);
    }
    return open;
  }

  #reopen(): OpenFile {
    const open = this.#open();
    const { identity, size } = open.facts;
    if (identity === this.identity && size >= this.size) return open;
    this.#release();
    throw new SourceError(`Cannot read ${this.path}: it was replaced since it was opened`);
  }

  #open(): OpenFile {
    const [oldest] = openFiles.keys();
    if (openFiles.size >= OPEN_MAX && oldest !== undefined) oldest.#release();
    const open = fileSystem().open(this.path);
    const { isFile, isBlockDevice } = open.facts;
    if (!isFile && !(this.#devices && isBlockDevice === true)) {
      open.close();
      throw new NotRegularError(this.path, open.facts.isDevice === true);
    }
    openFiles.set(this, open);
    return open;
  }

  #release(): void {
    openFiles.get(this)?.close();
    openFiles.delete(this);
  }

  close(): void {
    this.#release();
    this.#closed = true;
  }
}
