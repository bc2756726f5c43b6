/** LUKS2 volumes with a few wrong values, told by a seed: in the JSON, in its text, in the headers. */

import { MemorySource } from "../../src/bytes/mod.ts";
import { header, type Luks2Model } from "../../src/luks2/mod.ts";
import type { Volume } from "./ours.ts";
import { type AnyJson, type Change, changed, modelOf } from "./volumes.ts";
import { Dice } from "../dice.ts";

/** A mutant, and what differs from the volume that was built. */
export interface Mutant {
  readonly volume: Volume;
  readonly edits: readonly string[];
}

/**
 * Makes one to three changes: of both copies, or of one.
 *
 * @param options.first is changed of the volume before that
 */
export function mutate(
  options: Partial<Luks2Model>,
  seed: number,
  { first = {} }: { first?: Change } = {},
): Mutant {
  const dice = new Dice(seed);
  const drawn = Array.from({ length: 1 + dice.below(3) }, () => {
    const { says, change } = draw(dice, modelOf(options));
    const only = dice.of([undefined, undefined, undefined, "primary", "secondary"] as const);
    if (only === undefined) return { says, change };
    return { says: () => `${says()} in ${only}`, change: { ...change, only } };
  });
  // What is no JSON any more cannot be edited as such, nor what is cut off.
  const order = ({ change: { json, text, size } }: Edit): number =>
    json !== undefined ? 0 : text !== undefined ? 1 : size === undefined ? 2 : 3;
  const edits = drawn.sort((a, b) => order(a) - order(b));
  const changes = [first, ...edits.map(({ change }) => change)];
  const source = new MemorySource(changed(options, ...changes));
  const volume = { source, passphrase: dice.of(["first", "second", "third"]) };
  return { volume, edits: edits.map(({ says }) => says()) };
}

interface Edit {
  /** What is changed, known once it is. */
  readonly says: () => string;
  readonly change: Change;
}

function draw(dice: Dice, model: Luks2Model): Edit {
  const sort = dice.below(20);
  if (sort < 13) return jsonEdit(dice);
  if (sort < 16) return textEdit(dice);
  if (sort < 18) return fieldEdit(dice);
  if (sort < 19) return byteEdit(dice);
  return sizeEdit(dice, model);
}

/** Changes one value of the JSON, or takes it away, or puts another beside it. */
function jsonEdit(dice: Dice): Edit {
  let says = "";
  const rolls = [dice.below(1000), dice.below(1000), dice.below(1000)];
  const json = (root: AnyJson): void => {
    const places = placesOf(root);
    const [pick = 0, how = 0, what = 0] = rolls;
    const { parent, key, path } = places[pick % places.length] as Place;
    const old = parent[key];
    if (how % 8 === 0 && !Array.isArray(parent)) delete parent[key];
    else if (how % 8 === 1) copyPlace(parent, what, old);
    else parent[key] = otherValue(key, old, what);
    says = `${path} := ${JSON.stringify(parent[key])?.slice(0, 60)}`;
  };
  return { says: () => says, change: { json } };
}

interface Place {
  readonly parent: AnyJson;
  readonly key: string;
  readonly path: string;
}

function placesOf(node: AnyJson, path = ""): Place[] {
  if (typeof node !== "object" || node === null) return [];
  return Object.keys(node).flatMap((key) => [
    { parent: node, key, path: `${path}/${key}` },
    ...placesOf(node[key], `${path}/${key}`),
  ]);
}

function copyPlace(parent: AnyJson, what: number, old: unknown): void {
  if (Array.isArray(parent)) parent.push(old);
  else parent[["0", "1", "2", "3", "7", "00", "x", "flags", "priority"][what % 9] as string] = old;
}

const TEXTS = [
  ...["", "0", "1", "3", "x", "dynamic", "4096", "512", "32768", "290816", "557056", "258048"],
  ...["18446744073709551615", "18446744073709551616", "-1", "+512", " 512", "0x200", "00", "1e3"],
  ...["luks2", "luks1", "raw", "none", "crypt", "linear", "reencrypt", "pbkdf2", "argon2i", "sha1"],
  ...["sha512", "aes-cbc-essiv:sha256", "aes-cbc-plain64", "backup-final", "offline-reencrypt"],
];
const NUMBERS = [0, 1, 2, 3, 16, 32, 64, 128, 512, 1024, 4096, 4000, 2 ** 31, 2 ** 32, -1, 1.5];

/**
 * Another value, but none of 48 bytes for a key: OpenSSL has no AES-192 in mode xts, and cryptsetup has
 * it where the kernel does. Costs of key derivation stay small.
 */
function otherValue(key: string, old: unknown, what: number): unknown {
  if (/^(iterations|time|memory|cpus)$/.test(key)) return [0, 1, 2, 8, 32, 100, "1"][what % 7];
  if (key === "key_size") return [0, 16, 32, 33, 63, 64, 65, "64", -1, 2 ** 32][what % 10];
  if (typeof old === "string" && /^[0-9]+$/.test(old) && what % 3 === 0) {
    return String(BigInt(old) + BigInt([1, -1, 512, -512, 4096, -4096, 8192][what % 7] as number));
  }
  if (what % 5 === 0) return [null, true, [], {}, [0], ["0"], ["0", "3"], { x: 1 }][what % 8];
  const same = typeof old === "string" ? TEXTS : NUMBERS;
  return (what % 7 === 0 ? [...TEXTS, ...NUMBERS] : same)[Math.floor(what / 3) % same.length];
}

const PIECES = [
  ...["{", "}", "[", "]", ",", ":", '"', "'", "\\", " ", "\n", "\t", "\v", "/", "//", "/**/"],
  ...["/* **/", "0", "1", "-", ".", "e", "+", "\0", "\x01", "\x80", "\xc3\xa4", "null", "NaN"],
  ...["tRuE", "Infinity", "\\u0000", "\\ud800", "\\u00e4", '"x":1,', '"0":{},'],
];

/** Puts a piece of text into the JSON, or takes some out. */
function textEdit(dice: Dice): Edit {
  const [at, cut, piece] = [dice.below(2 ** 20), dice.below(3), dice.of(PIECES)];
  const edge = dice.below(4);
  const text = (old: string): string => {
    const place = edge === 0 ? old.length : edge === 1 ? 0 : at % old.length;
    return old.slice(0, place) + piece + old.slice(place + cut);
  };
  return {
    says: () => `${JSON.stringify(piece)} for ${cut} letters at ${edge}:${at}`,
    change: { text },
  };
}

function fieldEdit(dice: Dice): Edit {
  const { name, kind, width } = dice.of(header.fields.filter(({ name }) => !/padd/.test(name)));
  const numbers = [0, 1, 2, 3, 4, 5, 6, 0x4000, 0x8000, 0x3fff, 0x5000, 0x400000, 0x800000];
  const hashes = ["sha1", "sha512", "md5", "ripemd160", "", "x", "sha256x"];
  const text = name === "csum_alg" ? dice.of(hashes) : dice.of(["", "x", "x".repeat(width)]);
  const value = kind === "bytes" ? text : dice.of(numbers);
  const unsummed = dice.below(6) === 0 || name === "csum" ? { unsummed: true } as const : {};
  const says = () =>
    `${name} := ${JSON.stringify(value)}${"unsummed" in unsummed ? " unsummed" : ""}`;
  return { says, change: { fields: { [name]: value }, ...unsummed } };
}

function byteEdit(dice: Dice): Edit {
  const [at, flip] = [dice.below(2 ** 20), 1 + dice.below(255)];
  const far = dice.below(2) === 0;
  const copy = (bytes: Uint8Array): void => {
    const place = far ? at % bytes.length : at % 512;
    bytes[place] = (bytes[place] ?? 0) ^ flip;
  };
  const unsummed = dice.below(2) === 0 ? { unsummed: true } as const : {};
  return { says: () => `byte ${far}:${at} ^= ${flip}`, change: { copy, ...unsummed } };
}

function sizeEdit(dice: Dice, { headerSize }: Luks2Model): Edit {
  const size = dice.of([
    ...[0, 1, 511, 4096, headerSize - 1, headerSize, 2 * headerSize - 1, 2 * headerSize],
    ...[557055, 557056, 557568, 565248, 565760, dice.below(600_000)],
  ]);
  return { says: () => `size := ${size}`, change: { size } };
}
