import type { BigIntStats } from "node:fs";
import { builtin } from "./builtin.ts";

/** Properties of an open file. */
export interface FileFacts {
  readonly isFile: boolean;
  /** It is a block device or a character device. */
  readonly isDevice?: boolean;
  /** It is a block device, which is read as a file is. */
  readonly isBlockDevice?: boolean;
  readonly size: number;
  /** Bytes that the file system has allocated for the file, if known. */
  readonly allocated: number | undefined;
  /** Device and inode, which identify the file. */
  readonly identity: string;
}

/** A file that is open for reading. */
export interface OpenFile {
  readonly facts: FileFacts;
  /** Reads some bytes; 0 at the end of the file. */
  readAt(offset: number, target: Uint8Array): number;
  close(): void;
}

/** A file that is open for reading and writing. */
export interface WritableFile {
  /** The facts as they are now. */
  facts(): FileFacts;
  /** Reads some bytes; 0 at the end of the file. */
  readAt(offset: number, target: Uint8Array): number;
  /** Writes some bytes. */
  writeAt(offset: number, bytes: Uint8Array): number;
  /** Sets the length in bytes. */
  resize(size: number): void;
  /** Makes everything durable that was written. */
  flush(): void;
  /** Locks the file until it is closed; `false` if another program has done so. Absent without locks. */
  lock?(): boolean;
  close(): void;
}

/** The file operations that are needed to read and change an image. */
export interface FileSystem {
  /**
   * Opens a file for reading without blocking, even for a FIFO without a writer.
   *
   * @throws {Error} with the reason in `code` if the file cannot be opened
   */
  open(path: string): OpenFile;
  /**
   * Opens a file that exists for reading and writing, without blocking. Absent if files are only read.
   *
   * @throws {Error} with the reason in `code` if the file cannot be opened
   */
  openWritable?(path: string): WritableFile;
  /** The path without symbolic links. */
  realPath(path: string): string;
  /** The names in a directory, decoded from UTF-8 with U+FFFD for invalid bytes. */
  names?(folder: string): readonly string[];
}

/** The file system of Node. */
const nodeFileSystem: FileSystem = {
  open(path) {
    const { closeSync, constants, fstatSync, openSync, readSync } = builtin("node:fs");
    const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const readAt: OpenFile["readAt"] = (offset, target) =>
      readSync(fd, target, 0, target.length, offset);
    const facts = factsOf(fstatSync(fd, { bigint: true }), readAt);
    return { facts, readAt, close: () => closeSync(fd) };
  },
  openWritable(path) {
    const fs = builtin("node:fs");
    const fd = fs.openSync(path, fs.constants.O_RDWR | (fs.constants.O_NONBLOCK ?? 0));
    const readAt: OpenFile["readAt"] = (offset, target) =>
      fs.readSync(fd, target, 0, target.length, offset);
    return {
      facts: () => factsOf(fs.fstatSync(fd, { bigint: true }), readAt),
      readAt,
      writeAt: (offset, bytes) => fs.writeSync(fd, bytes, 0, bytes.length, offset),
      resize: (size) => fs.ftruncateSync(fd, size),
      flush: () => fs.fdatasyncSync(fd),
      close: () => fs.closeSync(fd),
    };
  },
  realPath: (path) => builtin("node:fs").realpathSync(path),
  names: (folder) => builtin("node:fs").readdirSync(folder),
};

/** The facts of an open file; a device has no size in them. */
function factsOf(stat: BigIntStats, readAt: OpenFile["readAt"]): FileFacts {
  const isBlockDevice = stat.isBlockDevice();
  return {
    isFile: stat.isFile(),
    isDevice: isBlockDevice || stat.isCharacterDevice(),
    isBlockDevice,
    size: isBlockDevice ? deviceSize(readAt) : Number(stat.size),
    allocated: typeof stat.blocks === "bigint" && !isBlockDevice
      ? Number(stat.blocks) * 512
      : undefined,
    identity: `${stat.dev}:${stat.ino}`,
  };
}

/** No device is longer. */
const DEVICE_MAX = 2 ** 53;

/** The size of a block device, which has none in its facts: where reading ends. */
export function deviceSize(readAt: OpenFile["readAt"]): number {
  const byte = new Uint8Array(1);
  const isThere = (offset: number): boolean => readAt(offset, byte) > 0;
  if (!isThere(0)) return 0;
  let [low, high] = [0, 1];
  for (; high < DEVICE_MAX && isThere(high); high *= 2) low = high;
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (isThere(middle)) low = middle;
    else high = middle;
  }
  return high;
}

let chosen = nodeFileSystem;

/** The file system that files are read from. */
export function fileSystem(): FileSystem {
  return chosen;
}

/** Sets the file system for reading files: a program may have one that starts faster. */
export function useFileSystem(system: FileSystem): void {
  chosen = system;
}
