import { type Options, print, UsageError } from "../../src/cli/mod.ts";
import {
  Corpus,
  type Crew,
  mergeRuns,
  type Minimized,
  minimizeInputs,
  STATUS,
  type Target,
} from "../engine/mod.ts";
import { peerProperties } from "../peer/mod.ts";
import { factsOfSidecar, failureText } from "./failure_text.ts";
import { requireWritable, typedPath } from "./host.ts";
import { emit } from "./json_lines.ts";
import { table } from "./table.ts";

/** The part of the help about the corpus. */
export const CORPUS_HELP =
  `  --corpus DIR       cases that run first, one file each in DIR/TARGET; those that show something
                     new are added and, without --runs, mutated
  --minimize-corpus  do not fuzz: remove the files of --corpus that show nothing beyond the others
  --merge            do not fuzz: the arguments are folders of other runs, such as shards. Their
                     corpora are added to --corpus, and of each failure the smallest artifact to
                     --artifacts; fails if there are failures`;

/** Options of the corpus. */
export const CORPUS_FLAGS = ["minimize-corpus", "merge"] as const;

/**
 * The corpus that is named on the command line.
 *
 * @throws {UsageError} when another option needs one
 */
export function corpusOf(options: Options): Corpus | undefined {
  const directory = options.value("corpus");
  if (directory !== undefined) {
    const path = typedPath(directory);
    if (options.flag("minimize-corpus")) requireFolder(path);
    requireWritable(path);
    return new Corpus(path);
  }
  const needy = CORPUS_FLAGS.find((name) => options.flag(name));
  if (needy !== undefined) throw new UsageError(`--${needy} needs --corpus`);
  return undefined;
}

/** Reports the files of a corpus that could not be used. */
export function reportUnread(corpus: Corpus, json: boolean): void {
  const { unread, directory } = corpus;
  if (json) return emit("corpus", { directory, skipped: Object.fromEntries(unread) });
  for (const [reason, count] of unread) {
    const example = corpus.exampleOf(reason);
    const first = example === undefined ? "" : count === 1 ? ` (${example})` : `, first ${example}`;
    print(`skipped ${count} ${count === 1 ? "input" : "inputs"}: ${reason}${first}`);
  }
}

/** @throws {UsageError} when a folder cannot be listed */
function requireFolder(path: string): void {
  try {
    Deno.readDirSync(path)[Symbol.iterator]().next();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new UsageError(`Cannot find the folder ${path}`);
    }
    throw new UsageError(
      `Cannot read the folder ${path}: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** `fuzz --minimize-corpus`. */
export async function minimizeCorpus(
  corpus: Corpus,
  targets: readonly Target[],
  { crew, json }: { readonly crew: Crew; readonly json: boolean },
): Promise<number> {
  const done: Minimized[] = [];
  for (const { name } of targets) {
    const minimized = await minimizeInputs(corpus, name, crew);
    if (minimized.before > 0) done.push(minimized);
  }
  crew.dismiss();
  if (json) { for (const minimized of done) emit("minimized", { ...minimized }); }
  else {
    const rows = done.map(({ target, before, after, bytesBefore, bytesAfter }) =>
      [target, before, after, bytesBefore, bytesAfter].map(String)
    );
    print(table(["target", "files", "left", "bytes", "left"], rows));
  }
  reportUnread(corpus, json);
  return STATUS.ok;
}

/** `fuzz --merge`. */
export function mergeFolders(
  corpus: Corpus,
  folders: readonly string[],
  { targets, artifacts, json }: {
    readonly targets: readonly Target[];
    readonly artifacts: string;
    readonly json: boolean;
  },
): number {
  if (folders.length === 0) throw new UsageError("--merge needs the folders of other runs");
  for (const folder of folders) requireFolder(folder);
  const names = [...targets, ...peerProperties].map(({ name }) => name);
  const { failures, added } = mergeRuns(folders, names, { corpus, artifacts });
  for (const { sidecar, artifact, count } of failures) {
    const { target, kind, signature, message } = sidecar;
    if (json) emit("failure", { target, kind, signature, message, artifact, count });
    else print(failureText(factsOfSidecar(sidecar, sidecar, artifact)));
  }
  const inputs = [...added.values()].reduce((sum, count) => sum + count, 0);
  if (json) emit("merged", { failures: failures.length, added: Object.fromEntries(added) });
  else {
    if (failures.length > 0) {
      const rows = failures.map(({ sidecar: { target, kind, signature }, artifact, count }) => [
        ...[target, kind, signature, artifact],
        String(count),
      ]);
      print(`${table(["failure in", "kind", "signature", "artifact", "runs"], rows)}\n`);
    }
    print(`${inputs} inputs added to ${corpus.directory}, ${failures.length} different failures`);
  }
  reportUnread(corpus, json);
  return failures.length > 0 ? STATUS.failed : STATUS.ok;
}
