import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { endOfArtifact, readSidecar, type Sidecar } from "../artifact.ts";
import { Corpus, folderOf } from "./corpus.ts";

/** A failure of one or more runs. */
export interface MergedFailure {
  readonly sidecar: Sidecar;
  /** Path of its artifact; of several, of the smallest. */
  readonly artifact: string;
  /** Artifacts with the same failure. */
  readonly count: number;
}

/** What is in the directories of some runs. */
export interface Merged {
  readonly failures: readonly MergedFailure[];
  /** Inputs that were added to the corpus, by target. */
  readonly added: ReadonlyMap<string, number>;
}

/** Directories below one that is merged, and entries of one directory, that are looked at. */
const DEPTH_MAX = 4;
const ENTRIES_MAX = 2 ** 16;
/** The name that a corpus gives an input. */
const INPUT_NAME = /^[0-9a-f]{40}$/;
/** Bytes of the longest sidecar. */
const SIDECAR_MAX = 2 ** 26;

/**
 * Merges the artifacts and the corpora below some directories, such as those of the shards of a run: each
 * failure once, with its smallest artifact. The directories that are written are left out.
 *
 * @param into where the inputs and the artifacts go; files that cannot be used are counted there
 */
export function mergeRuns(
  directories: readonly string[],
  targets: readonly string[],
  into: { readonly corpus: Corpus; readonly artifacts: string },
): Merged {
  const failures = new Map<string, MergedFailure>();
  const added = new Map<string, number>();
  const byFolder = new Map(targets.map((target) => [folderOf(target), target]));
  const written = [into.artifacts, into.corpus.directory].map((it) => resolve(it));
  for (const directory of directories.flatMap((it) => [...foldersIn(it, written)])) {
    const target = byFolder.get(basename(directory));
    if (target !== undefined) {
      const from = new Corpus(join(directory, ".."));
      let count = added.get(target) ?? 0;
      for (const { text } of from.inputs(target)) if (into.corpus.add(target, text)) count++;
      added.set(target, count);
      for (const [reason, times] of from.unread) {
        into.corpus.skip(reason, { times, path: from.exampleOf(reason) });
      }
    } else skipStrange(directory, into.corpus);
    for (const artifact of artifactsIn(directory)) addFailure(failures, artifact, into.corpus);
  }
  const kept = [...failures.values()].map((failure) => ({
    ...failure,
    artifact: copyArtifact(failure.artifact, into.artifacts),
  }));
  return { failures: kept, added };
}

/** Counts what looks like the inputs of a target that does not exist. */
function skipStrange(directory: string, corpus: Corpus): void {
  const inputs = entriesOf(directory).filter((it) => it.isFile() && INPUT_NAME.test(it.name));
  const [first] = inputs;
  if (first === undefined) return;
  const path = join(directory, first.name);
  corpus.skip(`no target is named ${basename(directory)}`, { times: inputs.length, path });
}

/** A directory and those below it, except for some. */
function* foldersIn(
  directory: string,
  written: readonly string[],
  depth = 0,
): Generator<string> {
  if (written.includes(resolve(directory))) return;
  yield directory;
  if (depth >= DEPTH_MAX) return;
  for (const entry of entriesOf(directory)) {
    if (entry.isDirectory()) yield* foldersIn(join(directory, entry.name), written, depth + 1);
  }
}

function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true }).slice(0, ENTRIES_MAX);
  } catch {
    return [];
  }
}

function artifactsIn(directory: string): string[] {
  return entriesOf(directory)
    .filter((entry) => entry.isFile() && endOfArtifact(entry.name) === ".json")
    .map(({ name }) => join(directory, name.replace(/\.json$/, "")));
}

function addFailure(
  failures: Map<string, MergedFailure>,
  artifact: string,
  corpus: Corpus,
): void {
  let sidecar: Sidecar;
  try {
    if (statSync(`${artifact}.json`).size > SIDECAR_MAX) throw new RangeError("it is too long");
    sidecar = readSidecar(artifact);
  } catch {
    corpus.skip("not an artifact", { path: `${artifact}.json` });
    return;
  }
  const { target, kind, signature, cause = [] } = sidecar;
  const key = JSON.stringify([target, kind, signature, cause.toSorted()]);
  const other = failures.get(key);
  const best = other === undefined || sizeOf(sidecar) < sizeOf(other.sidecar)
    ? { sidecar, artifact }
    : other;
  failures.set(key, { ...best, count: (other?.count ?? 0) + 1 });
}

/** How small the case of a failure is. */
function sizeOf({ case: json = null }: Sidecar): number {
  return JSON.stringify(json).length;
}

function copyArtifact(artifact: string, directory: string): string {
  const copy = join(directory, basename(artifact));
  if (existsSync(`${copy}.json`)) return copy;
  mkdirSync(directory, { recursive: true });
  for (const end of ["", ".sh", ".json"]) {
    if (existsSync(artifact + end)) copyFileSync(artifact + end, copy + end);
  }
  return copy;
}
