import { didYouMean } from "./nearest.ts";
import { parseSize } from "./sizes.ts";
import { UsageError } from "./verb.ts";

/** What is said of options that qemu-img has and that have another name here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "key-secret": "the passphrase is that of --passphrase-file",
  "iter-time": "iterations=N says how many",
  "preallocation": "nothing is preallocated here",
};

const PREFIX = "encrypt.";
/** The most iterations that PBKDF2 takes; every other number is smaller. */
const WHOLE_MAX = 2 ** 31 - 1;

/** The options of a format: `NAME=VALUE`, several of them between commas, as qemu-img's -o has them. */
export class FormatOptions {
  readonly #values: ReadonlyMap<string, string>;

  /**
   * @param texts what was given; two commas are one in a value
   * @param format whose options they are, and which ones it has
   * @throws {UsageError} for an option that there is not
   */
  constructor(
    texts: readonly string[],
    format: { readonly name: string; readonly options: readonly string[] },
  ) {
    this.#values = new Map(texts.flatMap((text) => settingsOf(text)));
    for (const name of this.#values.keys()) {
      if (!format.options.includes(name)) throw unknownOption(name, format);
    }
  }

  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** @throws {UsageError} for another value than `on` and `off` */
  flag(name: string): boolean {
    return this.choice(name, ["on", "off"]) === "on";
  }

  /** @throws {UsageError} for a value that is none of `choices` */
  choice<C extends string>(name: string, choices: readonly C[]): C | undefined {
    const text = this.text(name);
    const chosen = choices.find((choice) => choice === text);
    if (text === undefined || chosen !== undefined) return chosen;
    const meant = didYouMean(text, choices);
    const list = `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
    throw new UsageError(`Cannot create: option ${name} takes ${list}, not '${text}'${meant}`);
  }

  /** @throws {UsageError} for a value that is no whole number from 1 to 2^31 - 1 */
  whole(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const number = /^\d{1,10}$/.test(text) ? Number(text) : 0;
    if (number >= 1 && number <= WHOLE_MAX) return number;
    throw new UsageError(
      `Cannot create: option ${name} takes a whole number from 1 to ${WHOLE_MAX}, not '${text}'`,
    );
  }

  /** @throws {UsageError} for a value that is no size */
  size(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    try {
      return parseSize(text, name);
    } catch {
      throw new UsageError(`Cannot create: option ${name} takes a size such as 64K, not '${text}'`);
    }
  }

  /** The first one of these names that was given. */
  given(names: readonly string[]): string | undefined {
    return names.find((name) => this.#values.has(name));
  }
}

function settingsOf(text: string): [string, string][] {
  // No argument of a program has a NUL byte.
  return text.replaceAll(",,", "\0").split(",").filter((setting) => setting !== "")
    .map((setting) => {
      const [, name = "", value] = /^([^=]*)(?:=([^]*))?$/.exec(setting) ?? [];
      return [name, (value ?? "on").replaceAll("\0", ",")];
    });
}

function unknownOption(
  name: string,
  format: { readonly name: string; readonly options: readonly string[] },
): UsageError {
  const plain = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
  const elsewhere = ELSEWHERE[plain];
  if (elsewhere !== undefined) {
    return new UsageError(`Cannot create: no option ${name}: ${elsewhere}`);
  }
  return new UsageError(
    `Cannot create: ${format.name} has no option ${name}${didYouMean(name, format.options)}`,
  );
}
