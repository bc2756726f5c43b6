import type { Json } from "../format/mod.ts";

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
export function qemuJson(value: Json): string {
  return layOut(value, "");
}

function layOut(value: Json, indent: string): string {
  if (typeof value === "string") return quoted(value);
  // A number is printed to its last digit, though it may be rounded from 2^53 on.
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value).toString();
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = indent + INDENT;
  const items = isList(value)
    ? value.map((item) => inner + layOut(item, inner))
    : inQemuOrder(value).map(([key, member]) => `${inner}${quoted(key)}: ${layOut(member, inner)}`);
  const [open, close] = isList(value) ? "[]" : "{}";
  // An empty container takes two lines.
  return [open, ...(items.length === 0 ? [] : [items.join(",\n")]), indent + close].join("\n");
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** The members of an object in the order in which QEMU goes through them (qdict_first, qdict_next). */
export function inQemuOrder(value: { readonly [key: string]: Json }): [string, Json][] {
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
