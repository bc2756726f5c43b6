import type { LazyJson } from "../format/mod.ts";

const INDENT = "    ";
const BUCKETS = 512;

/**
 * JSON as qemu-img prints it for `info` and `check`, byte for byte: four spaces a level, text in
 * ASCII, and the keys of an object in the order of QEMU's hash table.
 *
 * @example
 * ```ts
 * import { qemuJson } from "./mod.ts";
 *
 * qemuJson({ format: "raw", "virtual-size": 512 });
 * // {
 * //     "virtual-size": 512,
 * //     "format": "raw"
 * // }
 * ```
 */
export function qemuJson(value: LazyJson): string {
  return [...qemuJsonPieces(value)].join("");
}

/** The same in pieces. */
export function* qemuJsonPieces(value: LazyJson, indent = ""): Generator<string> {
  if (typeof value === "string") yield quoted(value);
  // A number is printed to its last digit, though it may be rounded from 2^53 on.
  else if (typeof value === "number" && Number.isInteger(value)) yield BigInt(value).toString();
  else if (typeof value !== "object" || value === null) yield JSON.stringify(value);
  else yield* container(value, indent);
}

function* container(value: object, indent: string): Generator<string> {
  const inner = indent + INDENT;
  const [open, close] = isList(value) ? "[]" : "{}";
  yield `${open}`;
  let before = "\n";
  for (const [label, member] of isList(value) ? unlabelled(value) : labelled(value)) {
    yield `${before}${inner}${label}`;
    yield* qemuJsonPieces(member, inner);
    before = ",\n";
  }
  // An empty container takes two lines.
  yield `\n${indent}${close}`;
}

function isList(value: object): value is Iterable<LazyJson> {
  return Symbol.iterator in value;
}

function* unlabelled(list: Iterable<LazyJson>): Generator<[string, LazyJson]> {
  for (const item of list) yield ["", item];
}

function labelled(members: object): [string, LazyJson][] {
  return inQemuOrder(members as { readonly [key: string]: LazyJson })
    .map(([key, member]) => [`${quoted(key)}: `, member]);
}

/** The members of an object in the order in which QEMU goes through them (qdict_first, qdict_next). */
export function inQemuOrder<T extends LazyJson>(
  value: { readonly [key: string]: T },
): [string, T][] {
  return Object.entries(value).reverse().sort(([a], [b]) => bucketOf(a) - bucketOf(b));
}

/** QEMU qobject/qdict.c, tdb_hash, over the bytes of a key, in arithmetic of 32 bits. */
function bucketOf(key: string): number {
  let hash = Math.imul(0x238f13af, key.length);
  for (let i = 0; i < key.length; i++) hash = (hash + (key.charCodeAt(i) << (5 * i % 24))) | 0;
  return ((Math.imul(1103515243, hash) + 12345) >>> 0) % BUCKETS;
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** Text in ASCII; what is not printable is escaped with upper-case digits. */
function quoted(text: string): string {
  const escaped = text.replace(/[^\x20-\x7e]|["\\]/g, (unit) => {
    return SHORT[unit] ?? "\\u" + unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
  });
  return `"${escaped}"`;
}
