import { dirname } from "node:path";
import { PeerError } from "../peer.ts";

/** A folder for temporary files that cannot be made or written to. */
export class ScratchError extends PeerError {
  constructor(message: string) {
    super(message);
    this.name = "ScratchError";
  }
}

/** A folder for temporary files. */
export interface Scratch {
  readonly path: string;
  /** Removes it. What cannot be removed is left to the next run. */
  remove(): void;
}

/** Memory, where the system offers it; Deno grants it to a program with all permissions alone. */
const MEMORY = "/dev/shm";
const PREFIX = "diskproof-";
/** In a scratch folder: the file that its process has locked, and the folder for the files. */
const LOCK = ".diskproof-lock";
const FILES = "files";
const REMOVE_ATTEMPTS = 3;

/** Folders that were searched for what killed runs have left behind. */
const searched = new Set<string>();

/**
 * Makes a scratch folder: in `parent` where one is given, else below `TMPDIR` where that is set, else in
 * memory or `/tmp`. A run that is killed leaves its folder behind, and the next run removes it: the
 * lock of a folder lasts as long as its process.
 *
 * @param parent a folder whose owner removes it
 * @throws {ScratchError} when it cannot be made
 */
export function makeScratch(parent?: string): Scratch {
  try {
    if (parent !== undefined) {
      const path = Deno.makeTempDirSync({ dir: parent, prefix: PREFIX });
      return { path, remove: () => void isRemoved(path) };
    }
    for (;;) {
      const scratch = lockedFolder(makeFolder());
      if (scratch !== undefined) return scratch;
    }
  } catch (error) {
    throw scratchError("Cannot make a scratch folder", error);
  }
}

/** Hands a scratch folder to `use` and removes it afterwards. */
export async function withScratch<T>(
  use: (directory: string) => Promise<T>,
  parent?: string,
): Promise<T> {
  const scratch = makeScratch(parent);
  try {
    return await use(scratch.path);
  } finally {
    scratch.remove();
  }
}

/**
 * Writes a file into a scratch folder.
 *
 * @throws {ScratchError} when that fails: the folder is full, say
 */
export function writeScratchFile(
  path: string,
  bytes: Uint8Array,
  options: Deno.WriteFileOptions = {},
): void {
  try {
    Deno.writeFileSync(path, bytes, options);
  } catch (error) {
    throw scratchError(`Cannot write to the scratch folder ${dirname(path)}`, error);
  }
}

/** The error for a scratch folder that cannot be used for a reason. */
export function scratchError(what: string, error: unknown): ScratchError {
  const reason = error instanceof Error ? error.message : String(error);
  if (!(error instanceof Deno.errors.NotCapable)) return new ScratchError(`${what}: ${reason}`);
  return new ScratchError(
    `${what}: Deno has no permission for it: ${reason} (set TMPDIR to a folder below /tmp, or add ` +
      "the folder to --allow-read and --allow-write)",
  );
}

/** Makes an empty folder, after the leftovers beside it are removed. */
function makeFolder(): string {
  const path = inMemory() ?? Deno.makeTempDirSync({ prefix: PREFIX });
  const home = dirname(path);
  if (!searched.has(home)) removeLeftovers(home);
  searched.add(home);
  return path;
}

/** A folder in memory, where that is possible and `TMPDIR` is not set. */
function inMemory(): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: "TMPDIR" });
  // Without permission to read TMPDIR there is none for memory either.
  if (state !== "granted" || (Deno.env.get("TMPDIR") ?? "") !== "") return undefined;
  try {
    return Deno.makeTempDirSync({ dir: MEMORY, prefix: PREFIX });
  } catch {
    return undefined;
  }
}

/** Locks a new folder; nothing where another run has just taken it for a leftover. */
function lockedFolder(folder: string): Scratch | undefined {
  const path = `${folder}/${LOCK}`;
  const lock = Deno.openSync(path, { createNew: true, write: true });
  try {
    lock.lockSync(true);
    if (isGone(path, lock.statSync())) {
      lock.close();
      return undefined;
    }
    Deno.mkdirSync(`${folder}/${FILES}`);
  } catch (error) {
    lock.close();
    throw error;
  }
  const remove = () => {
    removeFolder(folder);
    lock.close();
  };
  return { path: `${folder}/${FILES}`, remove };
}

/** Whether a path no longer names an open file. */
function isGone(path: string, { ino, dev }: Deno.FileInfo): boolean {
  try {
    const now = Deno.statSync(path);
    return now.ino !== ino || now.dev !== dev;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}

/** The lock goes last: where something is left, it is a leftover for the next run. */
function removeFolder(folder: string): void {
  if (isRemoved(`${folder}/${FILES}`) && isRemoved(`${folder}/${LOCK}`)) isRemoved(folder);
}

/** Removes a folder or file. A process that was left behind may write into it at this moment. */
function isRemoved(path: string): boolean {
  for (let attempt = 0; attempt < REMOVE_ATTEMPTS; attempt++) {
    try {
      Deno.removeSync(path, { recursive: true });
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return true;
    }
  }
  return false;
}

/** Removes the scratch folders in a folder whose processes have ended. */
function removeLeftovers(home: string): void {
  let names: string[];
  try {
    names = [...Deno.readDirSync(home)].filter((entry) => entry.isDirectory).map(({ name }) =>
      name
    );
  } catch {
    // Without permission to read the folder, its leftovers are for another run.
    return;
  }
  for (const name of names.filter((it) => it.startsWith(PREFIX))) removeLeftover(`${home}/${name}`);
}

function removeLeftover(folder: string): void {
  const path = `${folder}/${LOCK}`;
  try {
    // A FIFO would block whoever opens it.
    if (!Deno.lstatSync(path).isFile) return;
    using lock = Deno.openSync(path, { write: true });
    if (lock.tryLockSync(true)) removeFolder(folder);
  } catch {
    // No lock, so no finished scratch folder; or one of another user.
  }
}
