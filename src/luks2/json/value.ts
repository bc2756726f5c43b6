/**
 * JSON as it is in a header: values, each with its place.
 *
 * cryptsetup's parser (json-c 0.16, json_tokener.c) accepts more than JSON. Such extensions are read in
 * the same way and recorded.
 */

/** Properties of all values. */
export interface Placed {
  /** Where the value starts and ends, in bytes from the start of the area. */
  readonly start: number;
  readonly end: number;
}

/** An object: the last value of each name, at the place of the first one. */
export interface JsonObject extends Placed {
  readonly kind: "object";
  readonly members: ReadonlyMap<string, JsonNode>;
}

/** An array. */
export interface JsonArray extends Placed {
  readonly kind: "array";
  readonly items: readonly JsonNode[];
}

/** Text. */
export interface JsonString extends Placed {
  readonly kind: "string";
  /** Up to its first NUL: what cryptsetup uses, except for base64. */
  readonly text: string;
  /** All of it. */
  readonly whole: string;
}

/** An integer; one that does not fit into 64 bits is the nearest that does. */
export interface JsonInt extends Placed {
  readonly kind: "int";
  readonly value: bigint;
}

/** A value that no member of LUKS2 has. */
export interface JsonOther extends Placed {
  readonly kind: "double" | "boolean" | "null";
  /** What it is as a number: 1 for true, 0 for false and null. */
  readonly value: number;
}

/** A value at its place. */
export type JsonNode = JsonObject | JsonArray | JsonString | JsonInt | JsonOther;

/** A problem with a text. */
export interface JsonFault {
  /** Where, in bytes from the start of the area. */
  readonly at: number;
  /** Short description: `a comment`. */
  readonly what: string;
}

/** A parsed area. */
export interface JsonParsed {
  /** The value; absent if there is none. */
  readonly root?: JsonNode;
  /** Where the text after it starts, without white space. */
  readonly end?: number;
  /** Why there is none: the text, its depth, or the number of values. */
  readonly fault?: JsonFault & { readonly kind: "syntax" | "depth" | "values" };
  /** Accepted extensions to JSON: the first of each kind. */
  readonly lax: readonly JsonFault[];
}

/** A member of an object; `undefined` for other values. */
export function member(node: JsonNode | undefined, name: string): JsonNode | undefined {
  return node?.kind === "object" ? node.members.get(name) : undefined;
}

/** The members of an object, in order. */
export function members(node: JsonNode | undefined): [string, JsonNode][] {
  return node?.kind === "object" ? [...node.members] : [];
}
