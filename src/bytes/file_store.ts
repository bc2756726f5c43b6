import { NotRegularError, SourceError } from "./file.ts";
import { fileSystem, type WritableFile } from "./file_system.ts";
import type { ByteStore } from "./store.ts";

/**
 * A file that is changed in place. It stays open until it is closed.
 *
 * Another program that locks files with `flock`, as this class does where the file system can, does not
 * write to it at the same time. QEMU uses other locks: nothing stops QEMU.
 */
export class FileStore implements ByteStore {
  /** Path of the file. */
  readonly path: string;
  /** Identifies the file: equal for all paths to it. */
  readonly identity: string;
  readonly #file: WritableFile;
  /** Bytes that are allocated at most; `undefined` if that is not known. */
  #allocated: number | undefined;
  #size: number;
  #closed = false;

  /**
   * Opens a file for changes.
   *
   * @throws {Error} when the path cannot be opened, or is not a regular file, or is locked
   */
  constructor(path: string) {
    this.path = path;
    const file = fileSystem().openWritable?.(path);
    if (file === undefined) {
      throw new TypeError(`Cannot write to ${path}: files are only read here`);
    }
    this.#file = file;
    const { isFile, isDevice, identity, size, allocated } = this.#file.facts();
    this.identity = identity;
    this.#size = size;
    this.#allocated = allocated;
    if (!isFile) {
      this.#file.close();
      throw new NotRegularError(path, isDevice === true);
    }
    if (this.#file.lock?.() === false) {
      this.#file.close();
      throw new SourceError(`Cannot write to ${path}: another program has locked it`);
    }
  }

  get size(): number {
    return this.#size;
  }

  get allocated(): number | undefined {
    return this.#allocated === undefined ? undefined : Math.min(this.#size, this.#allocated);
  }

  read(offset: number, length: number): Uint8Array {
    const target = new Uint8Array(length);
    this.readInto(offset, target);
    return target;
  }

  /**
   * Fills `target` with the bytes from `offset` on; past the end they are zeros.
   *
   * @throws {SourceError} when another program has made the file shorter, or reading fails
   */
  readInto(offset: number, target: Uint8Array): void {
    const wanted = Math.max(0, Math.min(target.length, this.#size - offset));
    for (let done = 0; done < wanted;) {
      const part = target.subarray(done, wanted);
      const count = this.#do("read", () => this.#file.readAt(offset + done, part));
      if (count === 0) throw new SourceError(`Cannot read ${this.path}: it has become shorter`);
      done += count;
    }
    target.fill(0, wanted);
  }

  /**
   * Writes bytes.
   *
   * @throws {SourceError} when writing fails: some of the bytes may be written then
   */
  write(offset: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const part = bytes.subarray(done);
      done += this.#do("write to", () => this.#file.writeAt(offset + done, part));
      this.#size = Math.max(this.#size, offset + done);
    }
    if (this.#allocated !== undefined) this.#allocated += bytes.length;
  }

  resize(size: number): void {
    this.#do("write to", () => this.#file.resize(size));
    this.#size = size;
  }

  /**
   * Makes everything durable that was written before.
   *
   * @throws {SourceError} when writing fails, or the path is no longer that of the file
   */
  flush(): void {
    this.#do("write to", () => this.#file.flush());
    const { size } = this.#file.facts();
    if (size !== this.#size) {
      throw new SourceError(`Cannot write to ${this.path}: another program has changed its size`);
    }
    if (this.#identityOfPath() === this.identity) return;
    throw new SourceError(`Cannot write to ${this.path}: it was replaced since it was opened`);
  }

  #identityOfPath(): string {
    const file = this.#do("write to", () => fileSystem().open(this.path));
    try {
      return file.facts.identity;
    } finally {
      file.close();
    }
  }

  close(): void {
    if (!this.#closed) this.#file.close();
    this.#closed = true;
  }

  #do<T>(verb: string, work: () => T): T {
    if (this.#closed) throw new TypeError(`Cannot ${verb} ${this.path}: it is closed`);
    try {
      return work();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new SourceError(`Cannot ${verb} ${this.path}: ${reason}`, { cause: error });
    }
  }
}
