import { utf8 } from "../../src/bytes/mod.ts";
import {
  allowed,
  boundariesOf,
  type Field,
  type Struct,
  writeField,
} from "../../src/layout/mod.ts";
import type { Dictionary } from "./dictionary.ts";

/**
 * The fuzzers whose dictionaries can be written, with the longest token that each of them accepts, in
 * bytes.
 */
const ENGINES = { afl: 128, libfuzzer: 64 } as const;

/** The name of a fuzzer. */
export type Engine = keyof typeof ENGINES;

/** The names of the fuzzers. */
export const engineNames = Object.keys(ENGINES) as readonly Engine[];

/** A token of a dictionary. */
export interface Token {
  /** Where it comes from: `qcow2_header_version_three`. */
  readonly name: string;
  /** The bytes, as an image stores them. */
  readonly bytes: Uint8Array;
  /** The token is a bound of a field, and there are many of these. */
  readonly isBound: boolean;
}

/** A format as a source of tokens. */
export interface TokenSource {
  readonly structures: readonly Struct[];
  readonly dictionary?: Dictionary;
}

/** Fewer bytes than this are found without a dictionary. */
const BYTES_MIN = 2;

/** The tokens of formats, each once: named values first, bounds last. */
export function tokensOf(sources: readonly TokenSource[], engine: Engine): readonly Token[] {
  const drawn = sources.flatMap((source) => [...structTokens(source), ...jsonTokens(source)]);
  const seen = new Set<string>();
  const ordered = [...drawn.filter((it) => !it.isBound), ...drawn.filter((it) => it.isBound)];
  return ordered.filter(({ bytes }) => {
    const key = bytes.join();
    const isUseful = bytes.length >= BYTES_MIN && bytes.length <= ENGINES[engine] &&
      bytes.some((byte) => byte !== 0) && !seen.has(key);
    seen.add(key);
    return isUseful;
  });
}

/** A line of a dictionary: `name="bytes"`. */
export function tokenText({ name, bytes, isBound }: Token, engine: Engine): string {
  const level = engine === "afl" && isBound ? "@1" : "";
  const text = Array.from(bytes, (byte) => {
    const letter = String.fromCharCode(byte);
    const isPlain = byte >= 0x20 && byte < 0x7f && letter !== '"' && letter !== "\\";
    return isPlain ? letter : `\\x${byte.toString(16).padStart(2, "0")}`;
  }).join("");
  return `${name}${level}="${text}"`;
}

function* structTokens({ structures, dictionary }: TokenSource): Generator<Token> {
  for (const magic of dictionary?.magics ?? []) yield tokenOf("magic", letters(magic), magic);
  for (const { name, fields } of structures) {
    for (const field of fields) {
      const from = `${name}_${field.name}`;
      if (field.kind === "bytes") {
        for (const constraint of field.constraints ?? []) {
          if ("equals" in constraint) yield tokenOf(from, "", constraint.equals);
        }
        for (const text of dictionary?.texts?.(field) ?? []) yield tokenOf(from, text, utf8(text));
      } else yield* fieldTokens(from, field);
    }
  }
}

function* fieldTokens(from: string, field: Field): Generator<Token> {
  const stored = (value: bigint): Uint8Array => {
    const bytes = new Uint8Array(field.width);
    writeField(field, BigInt.asUintN(8 * field.width, value), { target: bytes, at: 0 });
    return bytes;
  };
  for (const [name, value] of Object.entries(field.values ?? {})) {
    yield tokenOf(from, name, stored(BigInt(value)));
  }
  for (const constraint of field.constraints ?? []) {
    if (!("oneOf" in constraint)) continue;
    for (const value of allowed(field, constraint.oneOf)) {
      yield tokenOf(from, String(value), stored(value));
    }
  }
  for (const { name, from: first, reserved } of field.bits ?? []) {
    if (reserved !== true) yield tokenOf(from, name, stored(1n << BigInt(first)));
  }
  for (const value of boundariesOf(field, {})) {
    yield { ...tokenOf(from, String(value), stored(value)), isBound: true };
  }
}

function* jsonTokens({ dictionary }: TokenSource): Generator<Token> {
  for (const name of dictionary?.json?.names ?? []) {
    yield tokenOf("json_name", name, utf8(`${JSON.stringify(name)}:`));
  }
  for (const word of dictionary?.json?.words ?? []) {
    const text = JSON.stringify(word);
    yield tokenOf("json", text.slice(0, 24), utf8(text));
  }
}

function letters(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function tokenOf(from: string, name: string, bytes: Uint8Array): Token {
  const words = `${from}_${name}`.replaceAll(/[^A-Za-z0-9]+/g, "_").replaceAll(/^_|_$/g, "");
  return { name: words.toLowerCase(), bytes, isBound: false };
}
