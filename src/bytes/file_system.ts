import { builtin } from "./builtin.ts";

/** What the file system says about an open file. */
export interface FileFacts {
  readonly isFile: boolean;
  /** It is a block device or a character device. */
  readonly isDevice?: boolean;
  readonly size: number;
  /** Bytes that the file system has allocated for the file, where it says so. */
  readonly allocated: number | undefined;
  /** The same for two paths to one file, and for no other file: device and inode. */
  readonly identity: string;
}

/** A file that is open for reading. */
export interface OpenFile {
  readonly facts: FileFacts;
  /** Reads some bytes; 0 at the end of the file. */
  readAt(offset: number, target: Uint8Array): number;
  close(): void;
}

/** The operations on files that reading an image consists of. */
export interface FileSystem {
  /**
   * Opens a file for reading; it never waits, as for a FIFO without a writer.
   *
   * @throws {Error} with the reason in `code`, when the file cannot be opened
   */
  open(path: string): OpenFile;
  /** The path without symbolic links. */
  realPath(path: string): string;
  /** The names in a folder, decoded from UTF-8 with U+FFFD for what is not. */
  names?(folder: string): readonly string[];
}

/** The file system as Node has it. */
const nodeFileSystem: FileSystem = {
  open(path) {
    const { closeSync, constants, fstatSync, openSync, readSync } = builtin("node:fs");
    const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stat = fstatSync(fd, { bigint: true });
    return {
      facts: {
        isFile: stat.isFile(),
        isDevice: stat.isBlockDevice() || stat.isCharacterDevice(),
        size: Number(stat.size),
        allocated: typeof stat.blocks === "bigint" ? Number(stat.blocks) * 512 : undefined,
        identity: `${stat.dev}:${stat.ino}`,
      },
      readAt: (offset, target) => readSync(fd, target, 0, target.length, offset),
      close: () => closeSync(fd),
    };
  },
  realPath: (path) => builtin("node:fs").realpathSync(path),
  names: (folder) => builtin("node:fs").readdirSync(folder),
};

let chosen = nodeFileSystem;

/** The file system that files are read from. */
export function fileSystem(): FileSystem {
  return chosen;
}

/** Reads files from another file system from now on: a program may have one that starts faster. */
export function useFileSystem(system: FileSystem): void {
  chosen = system;
}
