import type { Json } from "../../src/format/mod.ts";

/** A plain value with `bigint`s in it as JSON: `5n` becomes `{"bigint": "5"}`. */
export function toPlainJson(value: unknown): Json {
  if (typeof value === "bigint") return { bigint: value.toString() };
  if (Array.isArray(value)) return value.map(toPlainJson);
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).filter(([, part]) => part !== undefined);
    return Object.fromEntries(entries.map(([key, part]) => [key, toPlainJson(part)]));
  }
  return value as Json;
}

/** The inverse of {@link toPlainJson}. */
export function fromPlainJson(json: Json): unknown {
  if (Array.isArray(json)) return json.map(fromPlainJson);
  if (json === null || typeof json !== "object") return json;
  const entries = Object.entries(json as { readonly [key: string]: Json });
  const only = entries.length === 1 ? entries[0] : undefined;
  if (only !== undefined && only[0] === "bigint" && typeof only[1] === "string") {
    return BigInt(only[1]);
  }
  return Object.fromEntries(entries.map(([key, part]) => [key, fromPlainJson(part)]));
}
