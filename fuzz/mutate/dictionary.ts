import type { Json } from "../../src/format/mod.ts";
import type { Field } from "../../src/layout/mod.ts";

/** Values of a format that are worth trying beyond what follows from the descriptions of its fields. */
export interface Dictionary {
  /** Texts for a field of bytes: known names, and near misses. */
  texts?(field: Field): readonly string[];
  /** Numbers for any field. */
  readonly numbers?: readonly bigint[];
  /** Magics that no constraint of a field has. */
  readonly magics?: readonly Uint8Array[];
  /** Values that are interesting for JSON. */
  readonly json?: JsonDictionary;
}

/** The same for the JSON of a format. */
export interface JsonDictionary {
  /**
   * Values for a place: what its name requires, what is near the value that is there, and what is of
   * its sort. Simple ones come first.
   */
  values(member: string, old: Json): readonly Json[];
  /** Texts that have a meaning somewhere. */
  readonly words: readonly Json[];
  /** Names for added members. */
  readonly names: readonly string[];
}

/** Values of every sort, few of which a place may have. */
export const STRAY_VALUES: readonly Json[] = [
  ...[null, true, false, 0, "", [], {}, [0], ["0"], ["0", "0"], ["0", "3", "31", "32"], [[]]],
  ...[{ x: 1 }, { "0": {} }, { type: "x" }, nested(10), nested(40), "x".repeat(5000)],
];

/** Values of JSON for any place: of every sort, and the words of a format. */
export function strayValues({ json }: Dictionary = {}): readonly Json[] {
  return [...STRAY_VALUES, ...json?.words ?? []];
}

/** Numbers that are likely to reveal bugs. */
export const STRAY_NUMBERS: readonly number[] = [
  ...[0, 1, 2, 3, 16, 31, 32, 48, 64, 128, 256, 512, 1024, 2048, 3999, 4000, 4096, 8192],
  ...[2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, -1, -(2 ** 31), 1.5, 1e300],
];

function nested(depth: number): Json {
  return Array.from({ length: depth }).reduce<Json>((inner) => [inner], 0);
}

/** Pieces of text that a parser of JSON, or one that accepts more, may trip over. */
export const JSON_PIECES: readonly string[] = [
  ...["{", "}", "[", "]", ",", ":", '"', "'", "\\", " ", "\n", "\t", "\v", "/", "//", "/**/"],
  ...["/* **/", "0", "1", "-", ".", "e", "+", "\0", "\x01", "\x7f", "\x80", "\xc3\xa4", "\xff"],
  ...["null", "NaN", "Infinity", "-Infinity", "tRuE", "\\u0000", "\\ud800", "\\u00e4", "\\x"],
  ...['"x":1,', '"0":{},', "{}", "[]", "[[", '{"a":', "0,", "1e5", "-0", "00", "1.0"],
  ...["18446744073709551616", "-9223372036854775809", "0x10", "9".repeat(400)],
];
