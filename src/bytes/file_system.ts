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

/** The file operations that are needed to read an image. */
export interface FileSystem {
  /**
   * Opens a file for reading without blocking, even for a FIFO without a writer.
   *
   * @throws {Error} with the reason in `code` if the file cannot be opened
   */
  open(path: string): OpenFile;
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
    const stat = fstatSync(fd, { bigint: true });
    const readAt: OpenFile["readAt"] = (offset, target) =>
      readSync(fd, target, 0, target.length, offset);
    const isBlockDevice = stat.isBlockDevice();
    return {
      facts: {
        isFile: stat.isFile(),
        isDevice: isBlockDevice || stat.isCharacterDevice(),
        isBlockDevice,
        size: isBlockDevice ? deviceSize(readAt) : Number(stat.size),
        allocated: typeof stat.blocks === "bigint" && !isBlockDevice
          ? Number(stat.blocks) * 512
          : undefined,
        identity: `${stat.dev}:${stat.ino}`,
      },
      readAt,
      close: () => closeSync(fd),
    };
  },
  realPath: (path) => builtin("node:fs").realpathSync(path),
  names: (folder) => builtin("node:fs").readdirSync(folder),
};

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
