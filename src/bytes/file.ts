import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import type { ByteSource } from "./source.ts";

/** A stretch of a file that the file system stores nothing for, in bytes. */
export interface Hole {
  readonly start: number;
  readonly length: number;
}

/** Opens for reading; a FIFO that nobody writes to would otherwise keep the open waiting for ever. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** A file that was opened, and does not give the bytes that it had then. */
export class SourceError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SourceError";
  }
}

/** A file, read with positional reads: nothing but what is asked for is loaded. */
export class FileSource implements ByteSource {
  readonly path: string;
  readonly size: number;
  /** Bytes that the file system has allocated for the file, where it says so. */
  readonly allocated: number | undefined;
  /** The holes of the file in order, where somebody has asked the kernel for them. */
  holes: readonly Hole[] | undefined;
  #fd: number | undefined;

  /** @throws {Error} when the path cannot be opened or is not a regular file. */
  constructor(path: string) {
    this.path = path;
    const fd = openSync(path, OPEN_FLAGS);
    const stat = fstatSync(fd);
    if (!stat.isFile()) {
      closeSync(fd);
      throw new TypeError(`Cannot read ${path}: it is not a regular file`);
    }
    this.#fd = fd;
    this.size = stat.size;
    this.allocated = typeof stat.blocks === "number" ? stat.blocks * 512 : undefined;
  }

  read(offset: number, length: number): Uint8Array {
    const target = new Uint8Array(length);
    this.readInto(offset, target);
    return target;
  }

  /**
   * @throws {SourceError} when the file has become shorter since it was opened, or the device fails:
   * zeros in place of what cannot be read would be wrong bytes
   */
  readInto(offset: number, target: Uint8Array): void {
    if (this.#fd === undefined) throw new TypeError(`Cannot read ${this.path}: it is closed`);
    const wanted = Math.max(0, Math.min(target.length, this.size - offset));
    let done = 0;
    while (done < wanted) {
      done += this.#readSome(this.#fd, target.subarray(done, wanted), offset + done);
    }
    target.fill(0, done);
  }

  #readSome(fd: number, target: Uint8Array, offset: number): number {
    let count: number;
    try {
      count = readSync(fd, target, 0, target.length, offset);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new SourceError(`Cannot read ${this.path}: ${reason}`, { cause: error });
    }
    if (count > 0) return count;
    throw new SourceError(`Cannot read ${this.path}: it has become shorter since it was opened`);
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
