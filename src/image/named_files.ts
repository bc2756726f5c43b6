import {
  type ByteSource,
  type ByteStore,
  FileSource,
  FileStore,
  fileSystem,
  NotRegularError,
  SourceError,
} from "../bytes/mod.ts";
import { isUtf8Name, nameBytes } from "../format/mod.ts";
import { folderOf } from "./file_names.ts";

/** What became of a file that an image names. */
export type Named<S extends ByteSource = ByteSource> =
  | { readonly kind: "opened"; readonly source: S; readonly path: string }
  /** It may not be opened: nobody looked at it. */
  | { readonly kind: "not-followed"; readonly reason: string }
  /** It was looked for, and cannot be read. */
  | { readonly kind: "unreadable"; readonly reason: string };

/** Who decides which files an image may make us open. */
export interface NamedFiles {
  /** Opens a file that an image names; `path` is already resolved. */
  open(path: string): Named;
  /** Opens it for changes. */
  openStore(path: string): Named<ByteStore>;
}

const MISSING = { kind: "unreadable", reason: "there is no such file" } as const;
const OUTSIDE = {
  kind: "not-followed",
  reason: "it is outside the root directory (--root)",
} as const;

const READ_ONLY = { kind: "unreadable", reason: "it is only read here" } as const;

/** Whether a source can be changed. */
export function isStore(source: ByteSource): source is ByteStore {
  return "write" in source && "resize" in source;
}

/** No file at all, for an image that is in no folder. */
export const NO_FILES: NamedFiles = { open: () => OUTSIDE, openStore: () => OUTSIDE };

/** Files that are not in a file system: an image and what it refers to, by name. */
export class GivenFiles implements NamedFiles {
  readonly #files: ReadonlyMap<string, ByteSource>;

  constructor(files: ReadonlyMap<string, ByteSource>) {
    this.#files = files;
  }

  open(path: string): Named {
    const source = this.#files.get(path.slice(path.lastIndexOf("/") + 1));
    return source === undefined ? MISSING : { kind: "opened", source, path };
  }

  openStore(path: string): Named<ByteStore> {
    const named = this.open(path);
    if (named.kind !== "opened") return named;
    const { source } = named;
    return isStore(source) ? { ...named, source } : READ_ONLY;
  }
}

/** Deno has text alone for names of files, and decodes it from UTF-8. */
const UNNAMEABLE = {
  kind: "not-followed",
  reason: "no file can be opened here by a name that is not UTF-8",
} as const;

/** Errors of the file system that QEMU runs into as well. */
const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: MISSING.reason,
  ENOTDIR: MISSING.reason,
  ENAMETOOLONG: "its name is too long",
  ELOOP: "its symbolic links form a loop",
  EACCES: "permission denied",
};

/**
 * Which files an image may make us open. An image is hostile: the names in it lead nowhere but below
 * the root, also through symbolic links.
 */
export class FilePolicy implements NamedFiles {
  readonly #root: string;

  /** @param root a directory; by default the folder of the image */
  constructor(image: string, root?: string) {
    this.#root = fileSystem().realPath(root ?? folderOf(image));
  }

  /** Opens a file that an image names; `path` is already resolved. */
  open(path: string): Named {
    return this.#open(path, (file) => new FileSource(file));
  }

  openStore(path: string): Named<ByteStore> {
    return this.#open(path, (file) => new FileStore(file));
  }

  #open<S extends ByteSource>(path: string, open: (file: string) => S): Named<S> {
    const folder = folderOf(path);
    if (!isUtf8Name(folder)) return UNNAMEABLE;
    const { real, isMissing } = nearest(folder);
    if (real === undefined || !this.#inside(real)) return OUTSIDE;
    if (isMissing) return MISSING;
    try {
      if (!isUtf8Name(path)) return unnameable(folder, path.slice(path.lastIndexOf("/") + 1));
      const file = fileSystem().realPath(path);
      if (!this.#inside(file)) return OUTSIDE;
      return { kind: "opened", source: open(file), path: file };
    } catch (error) {
      return whyNot(error);
    }
  }

  #inside(real: string): boolean {
    const root = this.#root.endsWith("/") ? this.#root : `${this.#root}/`;
    return real === this.#root || real.startsWith(root);
  }
}

/** A folder without symbolic links, or the nearest one above it where there is none. */
function nearest(folder: string): { readonly real?: string; readonly isMissing: boolean } {
  for (let path = folder;; path = folderOf(path)) {
    const isMissing = path !== folder;
    try {
      return { real: fileSystem().realPath(path), isMissing };
    } catch (error) {
      const isThere = !["ENOENT", "ENOTDIR"].includes(codeOf(error));
      if (isThere || path === folderOf(path)) return { isMissing };
    }
  }
}

/** What is known of a file in a folder whose name is not UTF-8. */
function unnameable(folder: string, name: string): Named<never> {
  const listed = fileSystem().names?.(folder);
  const decoded = new TextDecoder("utf-8", { ignoreBOM: true }).decode(nameBytes(name));
  return listed === undefined || listed.includes(decoded) ? UNNAMEABLE : MISSING;
}

function whyNot(error: unknown): Named<never> {
  const reason = UNREADABLE[codeOf(error)];
  if (reason !== undefined) return { kind: "unreadable", reason };
  if (error instanceof NotRegularError && !error.isDevice) {
    return { kind: "unreadable", reason: "it is not a regular file" };
  }
  if (error instanceof SourceError) return { kind: "unreadable", reason: error.message };
  return {
    kind: "not-followed",
    reason: error instanceof NotRegularError ? "it is a device" : "it cannot be read",
  };
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code);
}
