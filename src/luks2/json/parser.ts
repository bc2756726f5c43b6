import type {
  JsonArray,
  JsonFault,
  JsonNode,
  JsonObject,
  JsonParsed,
  JsonString,
  Placed,
} from "./value.ts";

/** The largest nesting depth, as in json-c: the outermost value counts as one. */
export const DEPTH_MAX = 32;
/** The most values in one area: a hundred for each of a thousand key slots. */
export const VALUES_MAX = 100_000;

/** Parses the value that an area starts with. Total, and bounded by the area. */
export function parseJson(area: Uint8Array): JsonParsed {
  const parser = new Parser(area);
  try {
    const root = parser.value(1);
    return { root, end: parser.end(), lax: parser.lax() };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { fault: error.fault, lax: parser.lax() };
  }
}

/** Ends the parsing of a text. */
class Unreadable extends Error {
  readonly fault: JsonFault & { readonly kind: "syntax" | "depth" | "values" };

  constructor(at: number, what: string, kind: "syntax" | "depth" | "values" = "syntax") {
    super(what);
    this.fault = { at, what, kind };
  }
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/;
/** What json-c accepts as a number with a fraction or an exponent: it cuts signs off its end. */
const LAX_DOUBLE = /^-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]*)?$|^-?[0-9]+\.[-+]$/;
/** The most digits of an integer of 64 bits. */
const DIGITS_MAX = 20;
const INT64 = { min: -(1n << 63n), max: (1n << 64n) - 1n };
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ...['"', "\\", "/"].map((char) => [char, char] as const),
  ...([["b", "\b"], ["n", "\n"], ["r", "\r"], ["t", "\t"], ["f", "\f"]] as const),
]);

/** The characters of single bytes; none after the end of the text. */
const END = 256;
const CHARACTERS = Array.from(
  { length: END + 1 },
  (_, byte) => byte === END ? "" : String.fromCharCode(byte),
);
const NUMBER_MARKS = new Set(["-", "+", ".", "e", "E"]);

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

class Parser {
  readonly #text: Uint8Array;
  readonly #lax = new Map<string, JsonFault>();
  #at = 0;
  #complete = false;
  #values = 0;

  constructor(text: Uint8Array) {
    this.#text = text;
  }

  lax(): JsonFault[] {
    return [...this.#lax.values()];
  }

  /** Where the text after the outermost value starts. */
  end(): number {
    this.#complete = true;
    this.#skip();
    return this.#at;
  }

  value(depth: number): JsonNode {
    this.#skip();
    const start = this.#at;
    if (depth > DEPTH_MAX) {
      throw new Unreadable(start, `the nesting depth is more than ${DEPTH_MAX}`, "depth");
    }
    if (++this.#values > VALUES_MAX) {
      throw new Unreadable(start, `there are more than ${VALUES_MAX} values`, "values");
    }
    const first = this.#char();
    if (first === "{") return this.#object(start, depth);
    if (first === "[") return this.#array(start, depth);
    if (first === '"' || first === "'") return this.#string();
    return first === "-" || isDigit(this.#text[start]) ? this.#number() : this.#word();
  }

  #char(): string {
    return CHARACTERS[this.#text[this.#at] ?? END] as string;
  }

  #note(what: string, at = this.#at): void {
    if (!this.#lax.has(what)) this.#lax.set(what, { at, what });
  }

  #unexpected(wanted: string): Unreadable {
    return new Unreadable(this.#at, `${wanted} is missing`);
  }

  /** Skips white space, and comments. */
  #skip(): void {
    for (;;) {
      const char = this.#char();
      if (char === " " || char === "\n" || char === "\t" || char === "\r") this.#at++;
      else if (char === "/") this.#comment();
      else return;
    }
  }

  #comment(): void {
    this.#note("a comment");
    const line = this.#text[this.#at + 1] === 0x2f;
    if (!line && this.#text[this.#at + 1] !== 0x2a) throw this.#unexpected("a comment after '/'");
    let end = this.#at + 2;
    // json-c looks at what follows a '*' together with it, so that '**' + '/' does not end a comment.
    while (end < this.#text.length && this.#text[end] !== 0 && !this.#endsComment(end, line)) {
      end += !line && this.#text[end] === 0x2a ? 2 : 1;
    }
    // After the outermost value, a NUL byte ends a comment too.
    const ended = this.#text[end] !== 0 || this.#complete;
    if (end >= this.#text.length || !ended) {
      throw new Unreadable(this.#at, "a comment does not end");
    }
    this.#at = line || this.#text[end] === 0 ? end + 1 : end + 2;
  }

  #endsComment(at: number, line: boolean): boolean {
    const here = this.#text[at];
    return line ? here === 0x0a : here === 0x2a && this.#text[at + 1] === 0x2f;
  }

  #object(start: number, depth: number): JsonObject {
    const members = new Map<string, JsonNode>();
    this.#items("}", () => {
      const at = this.#at;
      const quote = this.#char();
      if (quote !== '"' && quote !== "'") throw this.#unexpected("a name");
      const { text } = this.#string();
      this.#skip();
      if (this.#char() !== ":") throw this.#unexpected("':' after a name");
      this.#at++;
      if (members.has(text)) this.#note("a duplicate name", at);
      members.set(text, this.value(depth + 1));
    });
    return { kind: "object", members, start, end: this.#at };
  }

  #array(start: number, depth: number): JsonArray {
    const items: JsonNode[] = [];
    this.#items("]", () => items.push(this.value(depth + 1)));
    return { kind: "array", items, start, end: this.#at };
  }

  /** Items between brackets, separated by commas. */
  #items(close: string, item: () => void): void {
    this.#at++;
    this.#skip();
    while (this.#char() !== close) {
      item();
      this.#skip();
      if (this.#char() === close) break;
      if (this.#char() !== ",") throw this.#unexpected(`',' or '${close}'`);
      this.#at++;
      this.#skip();
      if (this.#char() === close) this.#note(`a comma before '${close}'`);
    }
    this.#at++;
  }

  #string(): JsonString {
    const start = this.#at;
    const quote = this.#text[this.#at++];
    if (quote === 0x27) this.#note("a string in single quotes", start);
    const from = this.#at;
    let escaped = false;
    for (let end = from;; end++) {
      const byte = this.#text[end];
      // A NUL byte ends the text for json-c.
      if (!byte) throw new Unreadable(start, "a string does not end");
      if (byte < 0x20) this.#note("a control character in a string", end);
      if (byte === 0x5c) {
        end = this.#escapeEnd(end + 1);
        escaped = true;
      } else if (byte === quote) {
        this.#at = end + 1;
        const stored = this.#decoded(this.#text.subarray(from, end), start);
        return this.#stringOf(escaped ? unescaped(stored) : stored, start);
      }
    }
  }

  #stringOf(whole: string, start: number): JsonString {
    const nul = whole.indexOf("\0");
    const text = nul < 0 ? whole : whole.slice(0, nul);
    return { kind: "string", text, whole, start, end: this.#at };
  }

  /** The last byte of an escape whose backslash is before a byte. */
  #escapeEnd(at: number): number {
    const char = CHARACTERS[this.#text[at] ?? END] as string;
    if (char !== "u") {
      if (ESCAPES.has(char)) return at;
      throw new Unreadable(at, "an escape is not known");
    }
    const digits = decoder.decode(this.#text.subarray(at + 1, at + 5));
    if (/^[0-9a-fA-F]{4}$/.test(digits)) return at + 4;
    throw new Unreadable(at, "an escape does not have four hexadecimal digits");
  }

  #decoded(bytes: Uint8Array, at: number): string {
    try {
      return strictDecoder.decode(bytes);
    } catch {
      this.#note("a string that is not UTF-8", at);
      return decoder.decode(bytes);
    }
  }

  #number(): JsonNode {
    const start = this.#at;
    while (isDigit(this.#text[this.#at]) || NUMBER_MARKS.has(this.#char())) this.#at++;
    const text = decoder.decode(this.#text.subarray(start, this.#at));
    if (text === "-" && /[iI]/.test(this.#char())) return this.#word(start);
    if (!NUMBER.test(text)) this.#note("a number that is not JSON", start);
    if (/^-?[0-9]+$/.test(text)) {
      return { kind: "int", value: saturated(text), start, end: this.#at };
    }
    if (!LAX_DOUBLE.test(text)) {
      throw new Unreadable(start, "a number cannot be read");
    }
    return { kind: "double", value: Number.parseFloat(text), ...this.#from(start) };
  }

  #from(start: number): Placed {
    return { start, end: this.#at };
  }

  #word(start = this.#at): JsonNode {
    const words = ["null", "true", "false", "NaN", "Infinity"];
    const stored = decoder.decode(this.#text.subarray(this.#at, this.#at + 8));
    const word = words.find((name) => stored.toLowerCase().startsWith(name.toLowerCase()));
    if (word === undefined) throw this.#unexpected("a value");
    if (!/^(null|true|false)/.test(stored)) this.#note("a word that is not JSON", start);
    this.#at += word.length;
    const kind = word === "null" ? word : /^(true|false)$/.test(word) ? "boolean" : "double";
    const value = kind === "double" ? Number(word) : word === "true" ? 1 : 0;
    return { kind, value, ...this.#from(start) };
  }
}

/** A string without its escapes, which are all known. */
function unescaped(stored: string): string {
  return stored.replace(
    /\\(?:u(.{4})|(.))/gs,
    (_, hex?: string, char = "") =>
      hex === undefined ? ESCAPES.get(char) ?? char : String.fromCharCode(parseInt(hex, 16)),
  ).toWellFormed();
}

function saturated(digits: string): bigint {
  const negative = digits.startsWith("-");
  if (digits.replace(/^-?0*/, "").length > DIGITS_MAX) return negative ? INT64.min : INT64.max;
  const value = BigInt(digits);
  if (value < INT64.min) return INT64.min;
  return value > INT64.max ? INT64.max : value;
}
