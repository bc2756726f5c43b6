import { didYouMean } from "./nearest.ts";
import { parseSize } from "./sizes.ts";
import { UsageError } from "./verb.ts";

/** Options of qemu-img that have another name here, or none. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "key-secret": "use --passphrase-file",
  "iter-time": "use iterations=N",
  "size": "give the size after the name of the file",
  "preallocation": "preallocation is not supported",
};

const PREFIX = "encrypt.";
/** The most iterations that PBKDF2 accepts; every other number is smaller. */
const WHOLE_MAX = 2 ** 31 - 1;

/** The options of a format as in -o of qemu-img: `NAME=VALUE`, separated by commas. */
export class FormatOptions {
  readonly #values: ReadonlyMap<string, string>;

  /**
   * @param texts the values of -o; two commas are one comma in a value
   * @param format the format and the options that it has
   * @throws {UsageError} for an unknown option
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

  /** @throws {UsageError} for any other value than `on` and `off` */
  flag(name: string): boolean {
    return this.choice(name, ["on", "off"]) === "on";
  }

  /** @throws {UsageError} for a value that is not in `choices` */
  choice<C extends string>(name: string, choices: readonly C[]): C | undefined {
    const text = this.text(name);
    const chosen = choices.find((choice) => choice === text);
    if (text === undefined || chosen !== undefined) return chosen;
    const meant = didYouMean(text, choices);
    const list = `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
    throw new UsageError(`option ${name} must be ${list}, not '${text}'${meant}`);
  }

  /** @throws {UsageError} for anything but a whole number from 1 to 2^31 - 1 */
  whole(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const number = /^\d{1,10}$/.test(text) ? Number(text) : 0;
    if (number >= 1 && number <= WHOLE_MAX) return number;
    throw new UsageError(
      `option ${name} must be a whole number from 1 to ${WHOLE_MAX}, not '${text}'`,
    );
  }

  /** @throws {UsageError} for anything but a size */
  size(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    try {
      return parseSize(text, name);
    } catch {
      throw new UsageError(`option ${name} must be a size such as 64K, not '${text}'`);
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
    return new UsageError(`unsupported option ${name}: ${elsewhere}`);
  }
  return new UsageError(
    `unknown option ${name} of ${format.name}${didYouMean(name, format.options)}`,
  );
}
