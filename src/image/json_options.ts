import { utf8 } from "../bytes/mod.ts";
import { imageText } from "../format/mod.ts";

/** A value without members; an object or an array that has none is an empty array here. */
export type Scalar = string | number | boolean | null | readonly never[];

/** The options in the JSON of a name, with dotted keys for what is nested: `file.filename`. */
export type JsonOptions = ReadonlyMap<string, Scalar>;

/** JSON that QEMU rejects. */
export class JsonError extends Error {}
/** JSON whose meaning is not followed. */
export class JsonUnclear extends Error {}

/** Objects and arrays inside each other; QEMU allows 1024. */
const DEPTH_MAX = 64;

const MARK = /([{}[\]:,])/;
const STRING = /("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/;
const NUMBER = /(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)/;
const WORD = /([a-z]+)/;
const END = /($)/;
/** A token behind white space; each sort has a group of its own. */
const TOKEN = new RegExp(
  `[ \\t\\r\\n]*(?:${[MARK, STRING, NUMBER, WORD, END].map(({ source }) => source).join("|")})`,
  "sy",
);
const FIRST_PRINTABLE = " ";

type Value = string | number | boolean | null | readonly Value[] | ReadonlyMap<string, Value>;

/**
 * The options in a JSON object as QEMU reads it: strings may have single quotes, and no key comes twice.
 *
 * @throws {JsonError} where it is not such an object
 * @throws {JsonUnclear} where it is one whose meaning is not followed
 */
export function jsonOptions(text: string): JsonOptions {
  const parser = new Parser(text);
  const value = parser.value(0);
  parser.end();
  if (!(value instanceof Map)) throw new JsonError("the JSON is not an object");
  const options = new Map<string, Scalar>();
  flatten(value, "", options);
  return options;
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): Value {
    const [, mark, quoted, number, word] = this.#next();
    if (quoted !== undefined) return unquoted(quoted);
    if (number !== undefined) return Number(number);
    if (word === "true" || word === "false") return word === "true";
    if (word === "null") return null;
    if (mark !== "{" && mark !== "[") throw malformed();
    if (depth >= DEPTH_MAX) throw new JsonUnclear(`its JSON is nested ${DEPTH_MAX} levels deep`);
    return mark === "{" ? this.#members(depth + 1) : this.#elements(depth + 1);
  }

  end(): void {
    if (this.#next()[5] === undefined) throw malformed();
  }

  #members(depth: number): ReadonlyMap<string, Value> {
    const members = new Map<string, Value>();
    if (this.#takes("}")) return members;
    do {
      const key = this.value(depth);
      if (typeof key !== "string" || !this.#takes(":")) throw malformed();
      if (members.has(key)) throw new JsonError(`the JSON has the key '${key}' twice`);
      members.set(key, this.value(depth));
    } while (this.#goesOn("}"));
    return members;
  }

  #elements(depth: number): readonly Value[] {
    const elements: Value[] = [];
    if (this.#takes("]")) return elements;
    do elements.push(this.value(depth)); while (this.#goesOn("]"));
    return elements;
  }

  /** Whether a comma is next, and not the end of an object or array. */
  #goesOn(end: string): boolean {
    if (this.#takes(",")) return true;
    if (this.#takes(end)) return false;
    throw malformed();
  }

  #takes(mark: string): boolean {
    const before = this.#at;
    if (this.#next()[1] === mark) return true;
    this.#at = before;
    return false;
  }

  #next(): RegExpExecArray {
    TOKEN.lastIndex = this.#at;
    const token = TOKEN.exec(this.#text);
    if (token === null) throw malformed();
    this.#at = TOKEN.lastIndex;
    return token;
  }
}

function malformed(): JsonError {
  return new JsonError("it is malformed JSON");
}

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

function unquoted(quoted: string): string {
  if ([...quoted].some((character) => character < FIRST_PRINTABLE)) throw malformed();
  const text = quoted.slice(1, -1).replace(
    /\\(?:u([0-9a-fA-F]{4})|(.))/gs,
    (_, hex: string | undefined, character: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (!/["'\\/bfnrt]/.test(character)) throw malformed();
      return ESCAPES[character] ?? character;
    },
  );
  if (imageText(utf8(text)) !== text) {
    throw new JsonError("its JSON has a string that is not Unicode");
  }
  return text;
}

/** Like QEMU's qdict_flatten, but that two values of one key are an error of their own. */
function flatten(
  value: ReadonlyMap<string, Value> | readonly Value[],
  prefix: string,
  options: Map<string, Scalar>,
): void {
  for (const [key, member] of value.entries()) {
    const name = `${prefix}${key}`;
    const nested = member instanceof Map || member instanceof Array ? member : undefined;
    const length = nested instanceof Map ? nested.size : nested?.length ?? 0;
    if (nested !== undefined && length > 0) {
      flatten(nested, `${name}.`, options);
    } else {
      if (options.has(name)) throw new JsonUnclear(`its JSON has the option '${name}' twice`);
      options.set(name, nested === undefined ? member as Scalar : []);
    }
  }
}
