import { didYouMean } from "./nearest.ts";
import { UsageError } from "./verb.ts";

/** The long options of a verb, without their dashes. Every verb also has `help`. */
export interface OptionNames {
  /** Options without a value. A verb with `json` accepts `--output json` as well. */
  readonly flags?: readonly string[];
  /** Options with a value. The last one counts. */
  readonly values?: readonly string[];
  /** Options with a value that may be repeated. */
  readonly lists?: readonly string[];
  /** One-letter forms of options, such as `f` for `format`. */
  readonly letters?: Readonly<Record<string, string>>;
}

/** A parsed command line. */
export interface Options {
  /** The arguments that are not options, in order. */
  readonly positional: readonly string[];
  /** Whether an option without a value was given. */
  flag(name: string): boolean;
  /** The value of an option. */
  value(name: string): string | undefined;
  /** All values of an option. */
  list(name: string): readonly string[];
}

/** The option for qemu-img's way to request JSON. */
const OUTPUT = "output";

/**
 * Parses a command line: `--name`, `--name=value`, `--name value`, `-n value`, `-nvalue`. Options and
 * other arguments may be mixed; `--` ends the options.
 *
 * @throws {UsageError} for an unknown option, a missing value, or a value where none is expected
 */
export function parseOptions(args: readonly string[], names: OptionNames): Options {
  const parsed = new Parser(names).parse(args);
  const given = (name: string): readonly string[] => parsed.values.get(name) ?? [];
  const json = given("json").length > 0 || outputsJson(given(OUTPUT).at(-1));
  return {
    positional: parsed.positional,
    flag: (name) => name === "json" ? json : given(name).length > 0,
    value: (name) => given(name).at(-1),
    list: given,
  };
}

function outputsJson(output: string | undefined): boolean {
  if (output === undefined || output === "human" || output === "json") return output === "json";
  throw new UsageError(`--${OUTPUT} must be human or json, not '${output}'`);
}

/** The arguments that are left to parse, and the results so far. */
class Parser {
  readonly positional: string[] = [];
  readonly values = new Map<string, string[]>();
  readonly #flags: readonly string[];
  readonly #valued: readonly string[];
  readonly #letters: Readonly<Record<string, string>>;

  constructor({ flags = [], values = [], lists = [], letters = {} }: OptionNames) {
    this.#flags = ["help", ...flags];
    this.#valued = [...values, ...lists, ...(flags.includes("json") ? [OUTPUT] : [])];
    this.#letters = letters;
  }

  parse(args: readonly string[]): this {
    const left = [...args];
    for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
      if (arg === "--") this.positional.push(...left.splice(0));
      else if (arg.startsWith("--")) this.#long(arg, left);
      else if (arg.startsWith("-") && arg !== "-") this.#short(arg, left);
      else this.positional.push(arg);
    }
    return this;
  }

  #long(arg: string, left: string[]): void {
    const equals = arg.indexOf("=");
    const name = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
    const value = equals < 0 ? undefined : arg.slice(equals + 1);
    if (this.#flags.includes(name)) {
      if (value !== undefined) throw new UsageError(`option --${name} does not accept a value`);
      this.#add(name, "");
    } else if (this.#valued.includes(name)) {
      this.#add(name, value ?? this.#next(name, left));
    } else {
      const known = [...this.#flags, ...this.#valued];
      throw new UsageError(`unknown option --${name}${didYouMean(name, known, "--")}`);
    }
  }

  #short(arg: string, left: string[]): void {
    for (let at = 1; at < arg.length; at++) {
      const letter = arg[at] as string;
      const name = this.#nameOf(letter);
      if (name === undefined) throw new UsageError(`unknown option -${letter}`);
      if (this.#flags.includes(name)) {
        this.#add(name, "");
        continue;
      }
      const attached = arg.slice(at + 1).replace(/^=/, "");
      this.#add(name, attached === "" ? this.#next(name, left) : attached);
      return;
    }
  }

  #nameOf(letter: string): string | undefined {
    if (letter === "h") return "help";
    return Object.hasOwn(this.#letters, letter) ? this.#letters[letter] : undefined;
  }

  /** The argument after an option, if it is not an option itself. */
  #next(name: string, left: string[]): string {
    const next = left.shift();
    const isOption = next !== undefined && next.startsWith("-") && next !== "-" &&
      (next.startsWith("--") || this.#nameOf(next[1] as string) !== undefined);
    if (next !== undefined && !isOption) return next;
    throw new UsageError(`option --${name} needs a value`);
  }

  #add(name: string, value: string): void {
    const isMissing = value === "" && this.#valued.includes(name);
    if (isMissing) throw new UsageError(`option --${name} needs a value`);
    this.values.set(name, [...this.values.get(name) ?? [], value]);
  }
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
    `--${name} must be a whole number from ${range.min} to ${range.max}, not '${text}'`,
  );
}
