import { dirname } from "node:path";
import { gzipSync } from "node:zlib";
import { parseOptions, UsageError, whyUnreadable } from "../../../src/cli/mod.ts";
import { isListedFeature, isPublishedFeature } from "../../../src/expect/mod.ts";
import { type ImageRecord, packTar, stretchesOf, type TarFile } from "../../../src/recorded/mod.ts";
import { exportedFiles, type TreeFile, versions } from "./tree.ts";

/** The name of the directory that an archive unpacks to. */
const TOP = "diskproof-corpus";

/**
 * `corpus export`: writes the cases as plain files, for other languages.
 *
 * @returns how many cases it has written, and the directory or the archive
 * @throws {UsageError} when the directory cannot be written to, or no case is left
 */
export function exportCorpus(args: readonly string[]): { count: number; written: string } {
  const options = parseOptions(args, { values: ["features", "format"] });
  const [directory, ...others] = options.positional;
  if (directory === undefined || others.length > 0) {
    throw new UsageError("name one directory (see --help)");
  }
  const format = options.value("format") ?? "dir";
  if (format !== "dir" && format !== "tar") {
    throw new UsageError(`unsupported format '${format}' (supported: tar, dir)`);
  }
  const isChosen = chooser(options.value("features"));
  prepare(directory);
  let count = 0;
  const files = exportedFiles(isChosen, () => count++);
  const written = format === "dir"
    ? writeDirectory(directory, files)
    : writeArchive(directory, files);
  if (count === 0) throw new UsageError("no case needs only the features that are given");
  return { count, written };
}

/** The cases that need only some features, of which patterns are given. */
function chooser(features: string | undefined): (record: ImageRecord) => boolean {
  if (features === undefined) return () => true;
  const listed = features.split(",").map((it) => it.trim()).filter((it) => it !== "");
  const unknown = listed.find((feature) => !isPublishedFeature(feature));
  if (unknown !== undefined) {
    throw new UsageError(`unknown feature '${unknown}' (see docs/adapter.md)`);
  }
  return ({ expected }) =>
    (expected?.features ?? []).every((feature) => isListedFeature(feature, listed));
}

function prepare(directory: string): void {
  try {
    Deno.mkdirSync(directory, { recursive: true });
    const [entry] = Deno.readDirSync(directory);
    if (entry === undefined) return;
  } catch (error) {
    throw new UsageError(`Cannot write to ${directory}: ${whyUnreadable(error)}`);
  }
  throw new UsageError(`Cannot write to ${directory}: it is not empty`);
}

function writeDirectory(directory: string, files: Iterable<TreeFile>): string {
  for (const { path, bytes } of files) {
    const target = `${directory}/${path}`;
    Deno.mkdirSync(dirname(target), { recursive: true });
    writeSparsely(target, bytes);
  }
  return directory;
}

/** Writes a file, with holes in place of blocks of zeros. */
function writeSparsely(path: string, bytes: Uint8Array): void {
  using file = Deno.openSync(path, { write: true, createNew: true });
  for (const { offset, length } of stretchesOf(bytes)) {
    file.seekSync(offset, Deno.SeekMode.Start);
    for (let done = 0; done < length;) {
      done += file.writeSync(bytes.subarray(offset + done, offset + length));
    }
  }
  file.truncateSync(bytes.length);
}

function writeArchive(directory: string, files: Iterable<TreeFile>): string {
  const path = `${directory}/${archiveName()}`;
  Deno.writeFileSync(path, gzipSync(packTar(inTop(files))));
  return path;
}

function* inTop(files: Iterable<TreeFile>): Generator<TarFile> {
  for (const { path, bytes } of files) yield { name: `${TOP}/${path}`, bytes };
}

function archiveName(): string {
  return `${TOP}-${versions().corpus}.tar.gz`;
}
