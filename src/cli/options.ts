import { parseArgs } from "@std/cli";
import { didYouMean } from "./nearest.ts";
import { UsageError } from "./verb.ts";

/** The long options of a verb, without their dashes. `help` is one of every verb. */
export interface OptionNames {
  /** Options that are there or not. */
  readonly flags?: readonly string[];
  /** Options with a value. The last one counts. */
  readonly values?: readonly string[];
  /** Options with a value that may be given several times. */
  readonly lists?: readonly string[];
  /** Letters that stand for an option, as `f` for `format`. */
  readonly letters?: Readonly<Record<string, string>>;
}

/** A command line taken apart. */
export interface Options {
  /** What is not an option, in order. */
  readonly positional: readonly string[];
  /** Whether an option without a value was given. */
  flag(name: string): boolean;
  /** The value of an option. */
  value(name: string): string | undefined;
  /** All values of an option. */
  list(name: string): readonly string[];
}

/**
 * Takes a command line apart.
 *
 * @throws {UsageError} for an option that there is not, or one that lacks its value
 */
export function parseOptions(args: readonly string[], names: OptionNames): Options {
  const flags = ["help", ...names.flags ?? []];
  const values = [...names.values ?? [], ...names.lists ?? []];
  const parsed = parseArgs(withDashes(args, values), {
    boolean: flags,
    string: ["_", ...values],
    collect: names.lists ?? [],
    alias: names.letters ?? {},
    unknown: (arg, key) => {
      if (key !== undefined) refuseOption(arg, [...flags, ...values]);
    },
  });
  for (const name of values) {
    const given = [parsed[name]].flat();
    if (given.includes("")) throw new UsageError(`Cannot run: option --${name} needs a value`);
  }
  return {
    positional: parsed._.map(String),
    flag: (name) => parsed[name] === true,
    value: (name) => textOf(parsed[name]),
    list: (name) => [parsed[name]].flat().map(textOf).filter((text) => text !== undefined),
  };
}

/** A dash by itself is a value, standard input, where an option wants one; parseArgs does not take it. */
function withDashes(args: readonly string[], values: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const option = joined.at(-1)?.replace(/^--/, "") ?? "";
    const isValue = arg === "-" && joined.at(-1) === `--${option}` && values.includes(option) &&
      !joined.includes("--");
    if (isValue) joined[joined.length - 1] = `--${option}=-`;
    else joined.push(arg);
  }
  return joined;
}

function refuseOption(arg: string, known: readonly string[]): never {
  const [option = arg] = arg.split("=");
  const word = option.replace(/^-+/, "");
  throw new UsageError(`Cannot run: unknown option ${option}${didYouMean(word, known, "--")}`);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/**
 * The value of an option as a whole number.
 *
 * @throws {UsageError} for anything else, and outside of `range`
 */
export function wholeNumber(
  options: Options,
  name: string,
  range: { min: number; max: number },
): number | undefined {
  const text = options.value(name);
  if (text === undefined) return undefined;
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  if (number >= range.min && number <= range.max) return number;
  throw new UsageError(
    `Cannot run: --${name} takes a whole number from ${range.min} to ${range.max}, not '${text}'`,
  );
}
