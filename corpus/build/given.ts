/** What becomes a case: an artifact of the fuzzer, or an image. */

import { Buffer } from "node:buffer";
import { basename, dirname } from "node:path";
import { gunzipSync } from "node:zlib";
import { minimizeVerb } from "../../fuzz/cli/minimize.ts";
import {
  readSidecar,
  type Sidecar,
  SIDECAR_FORMAT,
  type StoredFile,
} from "../../fuzz/engine/mod.ts";
import { type Options, UsageError, whyUnreadable } from "../../src/cli/mod.ts";
import { formatNames } from "../../src/formats.ts";
import { withScratch } from "../../src/peers/mod.ts";

/** The files of a new case, and what is known about them. */
export interface Given {
  /** By name; the image is the first one. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly format?: string;
  readonly passphrases: readonly string[];
  /** A few words for the name. */
  readonly about: string;
  readonly changes: readonly string[];
  readonly flags: readonly string[];
  readonly happened?: string;
}

/** The name of the image among the files of a case. */
const IMAGE = "image";
/** Longest file of a case. */
const SIZE_MAX = 2 ** 26;
const TIME_DEFAULT = "30s";

/** Whether a file, or the `.json` beside it, is the sidecar of an artifact. */
export function isArtifact(file: string): boolean {
  const path = file.endsWith(".json") ? file : `${file}.json`;
  try {
    return JSON.parse(Deno.readTextFileSync(path)).artifact === SIDECAR_FORMAT;
  } catch {
    return false;
  }
}

/** The files of an artifact, which is made smaller first if it still fails. */
export async function fromArtifact(file: string, options: Options): Promise<Given> {
  return await withScratch(async (directory) => {
    const peers = options.list("peer").flatMap((peer) => ["--peer", peer]);
    const time = options.value("time") ?? TIME_DEFAULT;
    const status = await minimizeVerb.run([
      file,
      "--time",
      time,
      "--artifacts",
      directory,
      ...peers,
    ]);
    const found = [...Deno.readDirSync(directory)].map(({ name }) => name)
      .find((name) => name.endsWith(".json"));
    const path = status === 0 && found !== undefined ? `${directory}/${found}` : file;
    return ofSidecar(readSidecar(path), dirname(path), options);
  });
}

const FLAGS: Readonly<Record<string, string>> = {
  crash: "crash",
  timeout: "loop",
  oom: "allocation",
};

/** The files of an artifact as they are. */
export function ofSidecar(
  sidecar: Sidecar,
  directory: string,
  options: Pick<Options, "value" | "list">,
): Given {
  const { target, kind, signature, description, message, passphrases = [] } = sidecar;
  const files = sidecar.files.map((file, at): [string, Uint8Array] => [
    at === 0 ? IMAGE : file.name,
    bytesOf(file, directory),
  ]);
  if (files.length === 0) throw new UsageError("Cannot add the artifact: it has no files");
  const [first = ""] = message.split("\n");
  return {
    files: new Map(files),
    ...formatOption(options),
    passphrases: options.list("passphrase").length > 0 ? options.list("passphrase") : passphrases,
    about: `${target} ${signature}`,
    changes: description.split("\n").map((line) => line.trim()).filter((line) => line !== ""),
    flags: [FLAGS[kind] ?? ""],
    happened: `found by fuzz ${target}: ${first}`,
  };
}

function bytesOf({ name, size, storedAs, extents = [], cut }: StoredFile, directory: string) {
  if (cut === true || size > SIZE_MAX) {
    throw new UsageError(`Cannot add the artifact: ${name} is too long`);
  }
  if (storedAs !== undefined) return Deno.readFileSync(`${directory}/${basename(storedAs)}`);
  const bytes = new Uint8Array(size);
  for (const { offset, gzip } of extents) {
    bytes.set(gunzipSync(Buffer.from(gzip, "base64"), { maxOutputLength: SIZE_MAX }), offset);
  }
  return bytes;
}

function formatOption(options: Pick<Options, "value">): { format?: string } {
  const format = options.value("format");
  if (format === undefined) return {};
  if (formatNames.some((known) => known === format)) return { format };
  throw new UsageError(`unsupported format '${format}' (supported: ${formatNames.join(", ")})`);
}

/** An image with the files beside it. */
export function fromImage(file: string, options: Options): Given {
  const beside = options.list("beside").map((
    path,
  ): [string, Uint8Array] => [basename(path), read(path)]);
  return {
    files: new Map([[IMAGE, read(file)], ...beside]),
    ...formatOption(options),
    passphrases: options.list("passphrase"),
    about: basename(file),
    changes: [],
    flags: [],
  };
}

function read(path: string): Uint8Array {
  try {
    const { size } = Deno.statSync(path);
    if (size > SIZE_MAX) {
      throw new UsageError(`Cannot add ${path}: it is longer than ${SIZE_MAX} bytes`);
    }
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`Cannot read ${path}: ${whyUnreadable(error)}`);
  }
}
