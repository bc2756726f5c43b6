import { enterUsersDirectory } from "./directory.ts";
import { holdDevices } from "./deno_files.ts";
import { didYouMean } from "./nearest.ts";
import { complain, print, writeAll } from "./output.ts";
import { keepOnly } from "./permissions.ts";
import { type Permission, UsageError, type VerbEntry } from "./verb.ts";

/** A program that consists of verbs. */
export interface Program {
  /** Its name on the command line. */
  readonly name: string;
  readonly summary: string;
  readonly verbs: readonly VerbEntry[];
  /** What `--version` prints. */
  version(): Promise<string>;
}

/** Exit status: a fault of the image or of the implementation under test. */
export const FAILED = 1;
/** Exit status: the command line or an input file cannot be used. */
export const UNUSABLE = 2;
/** Exit status: an implementation could not be started, or broke the protocol. */
const PEER = 3;
/** Exit status: a bug of diskproof. */
const INTERNAL = 70;

/** Shows the stack of an error that is a bug of diskproof. */
const TRACE = "--trace";
const HELP: readonly (string | undefined)[] = ["--help", "-h"];

/**
 * Runs the verb that the command line names. Any error is one line on standard error.
 *
 * @returns the exit status
 */
export async function runProgram(program: Program, args: readonly string[]): Promise<number> {
  const words = beforeOptionsEnd(args);
  const traced = words.includes(TRACE);
  const kept = args.filter((arg, index) => arg !== TRACE || index >= words.length);
  try {
    return await runVerb(program, kept);
  } catch (error) {
    return complainOf(error, traced);
  }
}

async function runVerb(program: Program, [name, ...rest]: readonly string[]): Promise<number> {
  if (name === undefined || HELP.includes(name) || name === "help" && rest.length === 0) {
    print(await overview(program));
    return name === undefined ? UNUSABLE : 0;
  }
  if (name === "--version") {
    print(await program.version());
    return 0;
  }
  const [asked = ""] = rest;
  const entry = verbNamed(program, name === "help" ? asked : name);
  const { help, prepare, run } = await entry.load();
  // Options end at `--`: after it, `--help` is a file name.
  if (name === "help" || beforeOptionsEnd(rest).some((word) => HELP.includes(word))) {
    print(help.trimEnd());
    return 0;
  }
  if (entry.inProject !== true) enterUsersDirectory();
  // Devices and standard input need permissions that no verb has while it reads an image.
  holdDevices(rest);
  prepare?.([...rest]);
  keepOnly(permissionsOf(entry, rest));
  return await run([...rest]);
}

/** The permissions that a verb and the options that are given need. */
export function permissionsOf(
  { needs, needsWith = {} }: VerbEntry,
  args: readonly string[],
): readonly Permission[] {
  const words = beforeOptionsEnd(args);
  const isGiven = (option: string): boolean =>
    words.some((word) => word === option || word.startsWith(`${option}=`));
  const more = Object.entries(needsWith).flatMap(([option, its]) => isGiven(option) ? its : []);
  return [...new Set([...needs, ...more])];
}

/** @throws {UsageError} when there is no such verb */
function verbNamed({ verbs }: Program, name: string): VerbEntry {
  const verb = verbs.find((known) => known.name === name);
  if (verb !== undefined) return verb;
  if (name.startsWith("-")) throw new UsageError(`unknown option ${name}`);
  const meant = didYouMean(name, verbs.map((known) => known.name), "'", "'");
  throw new UsageError(`unknown verb '${name}'${meant}`);
}

function beforeOptionsEnd(args: readonly string[]): readonly string[] {
  const end = args.indexOf("--");
  return end < 0 ? args : args.slice(0, end);
}

/** Prints an error in one line, and returns its exit status. */
export function complainOf(error: unknown, traced = false): number {
  const status = statusOf(error);
  if (status !== INTERNAL) {
    complain(messageOf(error));
    return status;
  }
  complain(`internal error: ${messageOf(error)} (${TRACE} prints the stack)`);
  if (traced && error instanceof Error) writeAll(Deno.stderr, `${error.stack}\n`);
  return INTERNAL;
}

/**
 * By the name of the class, because only verbs load the modules that define the errors. Each class states
 * its name, because a minified bundle renames classes.
 */
const STATUS_OF: ReadonlyMap<string, number> = new Map([
  ["UsageError", UNUSABLE],
  ["SourceError", UNUSABLE],
  ["NotCapable", UNUSABLE],
  ["UnsupportedRuntimeError", UNUSABLE],
  ["PeerError", PEER],
  ["HarnessError", PEER],
  ["ImageError", FAILED],
]);

/** The exit status of an error. */
export function statusOf(error: unknown): number {
  for (let at = error; at instanceof Error; at = Object.getPrototypeOf(at)) {
    const status = STATUS_OF.get(at.constructor.name);
    if (status !== undefined) return status;
  }
  return INTERNAL;
}

/** The message of an error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function overview({ name, summary, verbs, version }: Program): Promise<string> {
  const width = Math.max(...verbs.map((verb) => verb.name.length));
  const groups = [...new Set(verbs.map(({ group }) => group))].flatMap((heading) => [
    `${heading}:`,
    ...verbs.filter(({ group }) => group === heading).map((verb) =>
      `  ${verb.name.padEnd(width)}  ${verb.summary}`
    ),
    "",
  ]);
  return [
    summary,
    "",
    `Usage: ${name} VERB [options]`,
    "",
    ...groups,
    `'${name} VERB --help' lists the options of a verb.`,
    await version(),
  ].join("\n");
}
