import { SourceError } from "../bytes/mod.ts";
import { PeerError } from "../peers/mod.ts";
import { didYouMean } from "./nearest.ts";
import { complain, print, writeAll } from "./output.ts";
import { keepOnly } from "./permissions.ts";
import { ImageError, UsageError, type Verb } from "./verb.ts";

/** A program that consists of verbs. */
export interface Program {
  /** How it is called on the command line, as `deno task diskproof`. */
  readonly call: string;
  readonly says: string;
  readonly verbs: readonly Verb[];
  /** What `--version` prints. */
  readonly version?: string;
}

/** Exit status: the thing under test, or the image, is at fault. */
export const FAILED = 1;
/** Exit status: the command line or an input file cannot be used. */
export const UNUSABLE = 2;
/** Exit status: an implementation could not be started, or broke the protocol. */
const PEER = 3;
/** Exit status: a bug of ours. */
const INTERNAL = 70;

/** Shows the stack of an error that is a bug of ours. */
const TRACE = "--trace";

/**
 * Runs the verb that the command line names. Whatever goes wrong is one line on standard error.
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
  if (name === undefined || name === "--help") {
    print(overview(program));
    return name === undefined ? UNUSABLE : 0;
  }
  if (name === "--version" && program.version !== undefined) {
    print(program.version);
    return 0;
  }
  if (name === "help") {
    const [asked] = rest;
    print(asked === undefined ? overview(program) : verbNamed(program, asked).help.trimEnd());
    return 0;
  }
  const verb = verbNamed(program, name);
  // Options end at `--`; a help that is asked for after it is a file name.
  if (beforeOptionsEnd(rest).includes("--help")) {
    print(verb.help.trimEnd());
    return 0;
  }
  if (verb.needs !== undefined) keepOnly(verb.needs);
  return await verb.run([...rest]);
}

/** @throws {UsageError} when there is no such verb */
function verbNamed({ verbs }: Program, name: string): Verb {
  const verb = verbs.find((known) => known.name === name);
  if (verb !== undefined) return verb;
  const names = verbs.map((known) => known.name);
  const what = name.startsWith("-") ? "option" : "verb";
  throw new UsageError(`Cannot run: unknown ${what} ${name}${didYouMean(name, names)}`);
}

function beforeOptionsEnd(args: readonly string[]): readonly string[] {
  const end = args.indexOf("--");
  return end < 0 ? args : args.slice(0, end);
}

/** Says what went wrong in one line, and gives the exit status for it. */
export function complainOf(error: unknown, traced = false): number {
  const status = statusOf(error);
  if (status !== INTERNAL) {
    complain(messageOf(error));
    return status;
  }
  complain(`Cannot go on: internal error: ${messageOf(error)} (${TRACE} shows where)`);
  if (traced && error instanceof Error) writeAll(Deno.stderr, `${error.stack}\n`);
  return INTERNAL;
}

const UNUSABLE_ERRORS = [UsageError, SourceError, Deno.errors.NotCapable] as const;

function statusOf(error: unknown): number {
  if (UNUSABLE_ERRORS.some((kind) => error instanceof kind)) return UNUSABLE;
  if (error instanceof PeerError) return PEER;
  return error instanceof ImageError ? FAILED : INTERNAL;
}

function messageOf(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) return `Cannot run: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

function overview({ call, says, verbs, version }: Program): string {
  const width = Math.max(...verbs.map((verb) => verb.name.length));
  const rows = verbs.map((verb) => `  ${verb.name.padEnd(width)}  ${verb.says}`);
  const more = [`${call} VERB --help says more.`, ...(version === undefined ? [] : [version])];
  return [says, "", `${call} VERB …`, "", ...rows, "", ...more].join("\n");
}
