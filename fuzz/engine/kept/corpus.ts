import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Json } from "../../../src/format/mod.ts";
import { PART, writeWhole } from "../whole_file.ts";

/** Length of the longest file that is read as an input, in bytes. */
export const INPUT_MAX = 64 * 1024;
/** Most inputs of one target. No more are read, and none are added to as many. */
export const INPUTS_MAX = 4096;

/** Values of LUKS2 metadata in a case are nested up to 40 times. What walks over a case is recursive. */
const NESTED_MAX = 256;

/** An input that was read: a case of a target as JSON. */
export interface Input {
  readonly path: string;
  /** Bytes of the file. */
  readonly size: number;
  readonly text: string;
  readonly json: Json;
  /** Whether the name of the file is the hash of its content: the name that a corpus gives. */
  readonly isNamed: boolean;
}

/** Files that are no inputs: a reason, and how many of them there are. */
export type Unread = ReadonlyMap<string, number>;

/**
 * Cases in a directory, one file each, as other fuzzers keep theirs: `DIR/TARGET/SHA1`. Runs may read and
 * write it at the same time: a file appears as a whole and never changes. Nothing in it is trusted.
 */
export class Corpus {
  readonly directory: string;
  readonly #unread = new Map<string, number>();
  readonly #examples = new Map<string, string>();
  /** The names of the files of each target. */
  readonly #names = new Map<string, Set<string>>();

  constructor(directory: string) {
    this.directory = directory;
  }

  /** The files that could not be used so far. */
  get unread(): Unread {
    return this.#unread;
  }

  /** The first file that could not be used for a reason, where it is known. */
  exampleOf(reason: string): string | undefined {
    return this.#examples.get(reason);
  }

  /** Counts files that cannot be used. `path` is the first of them. */
  skip(
    reason: string,
    { times = 1, path }: { times?: number; path?: string | undefined } = {},
  ): undefined {
    this.#unread.set(reason, (this.#unread.get(reason) ?? 0) + times);
    if (path !== undefined && !this.#examples.has(reason)) this.#examples.set(reason, path);
  }

  /** The inputs of a target, small ones first. Each is read when it is needed. */
  *inputs(target: string): Generator<Input> {
    const folder = join(this.directory, folderOf(target));
    const files = entriesOf(folder).flatMap(({ name, isFile }) => {
      const path = join(folder, name);
      const size = isFile ? sizeOf(path) : undefined;
      if (size === undefined) return this.skip("not a file", { path }) ?? [];
      if (size <= INPUT_MAX) return [{ path, size }];
      return this.skip(`longer than ${INPUT_MAX} bytes`, { path }) ?? [];
    }).toSorted((a, b) => a.size - b.size || (a.path < b.path ? -1 : 1));
    const more = files.length - INPUTS_MAX;
    if (more > 0) this.skip(`more than ${INPUTS_MAX} inputs of ${target}`, { times: more });
    let left = Math.min(files.length, INPUTS_MAX);
    try {
      for (const { path, size } of files.slice(0, INPUTS_MAX)) {
        left--;
        const input = this.#read(path, size);
        if (input !== undefined) yield input;
      }
    } finally {
      if (left > 0) this.skip(`no time for more inputs of ${target}`, { times: left });
    }
  }

  /** The cases of a target, small ones first. */
  *cases(target: string): Generator<Json> {
    for (const { json } of this.inputs(target)) yield json;
  }

  /**
   * Adds a case to those of a target, unless it is there or there are too many.
   *
   * @param text its JSON
   * @returns whether it was added
   */
  add(target: string, text: string): boolean {
    const folder = join(this.directory, folderOf(target));
    const names = this.#namesIn(folder);
    const name = sha1(text);
    if (names.has(name) || names.size >= INPUTS_MAX || text.length > INPUT_MAX) return false;
    try {
      mkdirSync(folder, { recursive: true });
      writeWhole(join(folder, name), (path) => writeFileSync(path, text));
    } catch (error) {
      // A run goes on without it.
      this.skip(`cannot be written: ${error instanceof Error ? error.message : error}`);
      return false;
    }
    names.add(name);
    return true;
  }

  #namesIn(folder: string): Set<string> {
    const known = this.#names.get(folder) ?? new Set(entriesOf(folder).map(({ name }) => name));
    this.#names.set(folder, known);
    return known;
  }

  #read(path: string, size: number): Input | undefined {
    let text: string;
    try {
      text = readText(path);
    } catch {
      return this.skip("cannot be read", { path });
    }
    try {
      const json = JSON.parse(text) as Json;
      if (depthOf(text) > NESTED_MAX) return this.skip("nested too deeply", { path });
      return { path, size, text, json, isNamed: path.endsWith(`/${sha1(text)}`) };
    } catch {
      return this.skip("not JSON", { path });
    }
  }
}

/** Name of the folder of a target. Some names have characters that a folder's name must not have. */
export function folderOf(target: string): string {
  return target.replaceAll(/[^\w.+-]+/g, "-");
}

/** What is in a directory; hidden files and files that are being written are not. */
function entriesOf(directory: string): { readonly name: string; readonly isFile: boolean }[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith(".") && !name.endsWith(PART))
      .map((entry) => ({ name: entry.name, isFile: entry.isFile() }));
  } catch {
    return [];
  }
}

function sizeOf(path: string): number | undefined {
  try {
    return lstatSync(path).size;
  } catch {
    return undefined;
  }
}

/** The text of a file, of which no more is read than an input may have. */
function readText(path: string): string {
  const bytes = Buffer.alloc(INPUT_MAX + 1);
  const file = openSync(path, "r");
  try {
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(file, bytes, length, bytes.length - length, length);
    }
    if (length > INPUT_MAX) throw new RangeError("the file has grown");
    return bytes.toString("utf8", 0, length);
  } finally {
    closeSync(file);
  }
}

/** How deeply JSON is nested. */
function depthOf(text: string): number {
  let depth = 0;
  let most = 0;
  for (const letter of text.replaceAll(/"(?:[^"\\]|\\.)*"/g, "")) {
    if (letter === "[" || letter === "{") most = Math.max(most, ++depth);
    else if (letter === "]" || letter === "}") depth--;
  }
  return most;
}

function sha1(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
