import { type ByteSource, FileSource, fileSystem } from "../bytes/mod.ts";
import { folderOf, isProtocol } from "./names.ts";

/** What became of a file that an image names. */
export type Named =
  | { readonly kind: "opened"; readonly source: ByteSource; readonly path: string }
  /** It may not be opened, or is no path: nobody looked at it. */
  | { readonly kind: "not-followed"; readonly reason: string }
  /** It was looked for, and cannot be read. */
  | { readonly kind: "unreadable"; readonly reason: string };

/** Who decides which files an image may make us open. */
export interface NamedFiles {
  /** Opens a file that an image names; `path` is already resolved. */
  open(path: string): Named;
}

/** Files that are not in a file system: an image and what it refers to, by name. */
export class GivenFiles implements NamedFiles {
  readonly #files: ReadonlyMap<string, ByteSource>;

  constructor(files: ReadonlyMap<string, ByteSource>) {
    this.#files = files;
  }

  open(path: string): Named {
    if (isProtocol(path)) return { kind: "not-followed", reason: "it is not a plain file name" };
    const source = this.#files.get(path.slice(path.lastIndexOf("/") + 1));
    if (source === undefined) return { kind: "unreadable", reason: "there is no such file" };
    return { kind: "opened", source, path };
  }
}

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
    if (isProtocol(path)) return { kind: "not-followed", reason: "it is not a plain file name" };
    const folder = this.#real(folderOf(path));
    if (folder === undefined || !this.#inside(folder)) {
      return { kind: "not-followed", reason: "it is outside the root directory" };
    }
    const real = this.#real(path);
    if (real === undefined) return { kind: "unreadable", reason: "there is no such file" };
    if (!this.#inside(real)) {
      return { kind: "not-followed", reason: "it is outside the root directory" };
    }
    try {
      return { kind: "opened", source: new FileSource(real), path: real };
    } catch {
      return { kind: "unreadable", reason: "it cannot be read" };
    }
  }

  #real(path: string): string | undefined {
    try {
      return fileSystem().realPath(path);
    } catch {
      return undefined;
    }
  }

  #inside(real: string): boolean {
    const root = this.#root.endsWith("/") ? this.#root : `${this.#root}/`;
    return real === this.#root || real.startsWith(root);
  }
}
