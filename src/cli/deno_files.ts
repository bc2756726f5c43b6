import type { FileFacts, FileSystem, OpenFile, WritableFile } from "../bytes/mod.ts";

/** Deno's file system. Loading Node's takes as long as starting Deno. */
export const denoFileSystem: FileSystem = {
  open(path) {
    const held = heldFiles.get(path);
    if (held !== undefined) return held;
    // Opening a FIFO would wait for a writer.
    const { isFile, isBlockDevice, isCharDevice } = Deno.statSync(path);
    if (!isFile && isBlockDevice !== true) {
      const facts = { ...NO_FILE, isDevice: isCharDevice === true };
      return { facts, readAt: () => 0, close: () => {} };
    }
    const file = Deno.openSync(path);
    return openFile(file, () => file.close());
  },
  openWritable(path) {
    // Opening a FIFO would wait for a reader.
    if (!Deno.statSync(path).isFile) return NOT_WRITABLE;
    const file = Deno.openSync(path, { read: true, write: true });
    const { readAt } = openFile(file, () => {});
    return {
      facts: () => factsOf(file),
      readAt,
      writeAt(offset, bytes) {
        file.seekSync(offset, Deno.SeekMode.Start);
        return file.writeSync(bytes);
      },
      resize: (size) => file.truncateSync(size),
      flush: () => file.syncDataSync(),
      lock: () => file.tryLockSync(true),
      close: () => file.close(),
    };
  },
  realPath: (path) => Deno.realPathSync(path),
};

const NO_FILE = { isFile: false, size: 0, allocated: 0, identity: "" };

/** What is not a regular file is not written to. */
const NOT_WRITABLE: WritableFile = {
  facts: () => NO_FILE,
  readAt: () => 0,
  writeAt: (_, { length }) => length,
  resize: () => {},
  flush: () => {},
  close: () => {},
};

function factsOf(file: Deno.FsFile): FileFacts {
  const stat = file.statSync();
  const isBlockDevice = stat.isBlockDevice === true;
  return {
    isFile: stat.isFile,
    isDevice: isBlockDevice,
    isBlockDevice,
    size: isBlockDevice ? file.seekSync(0, Deno.SeekMode.End) : stat.size,
    allocated: stat.blocks === null || isBlockDevice ? undefined : stat.blocks * 512,
    identity: `${stat.dev}:${stat.ino}`,
  };
}

function openFile(file: Deno.FsFile, close: () => void): OpenFile {
  return {
    facts: factsOf(file),
    readAt(offset, target) {
      file.seekSync(offset, Deno.SeekMode.Start);
      return file.readSync(target) ?? 0;
    },
    close,
  };
}

/**
 * Files that were opened before the permissions were dropped that this takes, by the names that the user
 * gave them. They stay open.
 */
const heldFiles = new Map<string, OpenFile>();

/** Whether a file, or any file, is open that no other thread can open. */
export function holdsFile(name?: string): boolean {
  return name === undefined ? heldFiles.size > 0 : heldFiles.has(name);
}

/** Lets a file be opened by a name. */
export function holdFile(name: string, file: Deno.FsFile): void {
  // Later, not even the facts of a device may be read.
  heldFiles.set(name, openFile(file, () => {}));
}

/** Opens the devices among the words of a command line, which takes all permissions of Deno. */
export function holdDevices(words: readonly string[]): void {
  for (const word of words) {
    const path = word.replace(/^--[\w-]+=/, "");
    if (!path.startsWith("/dev/")) continue;
    try {
      if (Deno.statSync(path).isBlockDevice === true) holdFile(path, Deno.openSync(path));
    } catch {
      // The verb says why, when it opens it.
    }
  }
}
