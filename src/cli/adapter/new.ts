import { dirname, join } from "node:path";
import { whyUnreadable } from "../reasons.ts";
import { parseOptions } from "../options.ts";
import { print } from "../output.ts";
import { UsageError } from "../verb.ts";
import { c } from "./skeletons/c.ts";
import { go } from "./skeletons/go.ts";
import { node } from "./skeletons/node.ts";
import { python } from "./skeletons/python.ts";
import { rust } from "./skeletons/rust.ts";
import type { Skeleton } from "./skeletons/skeleton.ts";

const SKELETONS: Readonly<Record<string, Skeleton>> = { python, go, rust, node, c };

/** The languages of skeletons. */
export const LANGUAGES: readonly string[] = Object.keys(SKELETONS);

/** `adapter new`: writes an adapter to start from. */
export function newAdapter(args: readonly string[]): number {
  const options = parseOptions(args, { values: ["language", "out"] });
  if (options.positional.length > 0) throw new UsageError("new takes no arguments (see --help)");
  const language = options.value("language") ?? "";
  const skeleton = Object.hasOwn(SKELETONS, language) ? SKELETONS[language] : undefined;
  if (skeleton === undefined) {
    throw new UsageError(`--language must be one of ${LANGUAGES.join(", ")}, not '${language}'`);
  }
  const directory = options.value("out") ?? ".";
  for (const [name, text] of Object.entries(skeleton.files)) writeNew(join(directory, name), text);
  const { build, command } = skeleton;
  for (const line of build) print(`build it:  (cd ${directory} && ${line})`);
  print(`check it:  diskproof adapter doctor "jsonl:${command.replace("DIR", directory)}"`);
  return 0;
}

/** @throws {UsageError} when the file exists, or cannot be written */
function writeNew(path: string, text: string): void {
  try {
    Deno.mkdirSync(dirname(path), { recursive: true });
    Deno.writeTextFileSync(path, text, { createNew: true });
    print(`wrote ${path}`);
  } catch (error) {
    throw new UsageError(`Cannot write ${path}: ${whyUnreadable(error)}`);
  }
}
