/**
 * JSON as it stands in a header: values with the place that each of them has there.
 *
 * cryptsetup's parser (json-c 0.16, json_tokener.c) takes more than JSON is. What both take is JSON;
 * what only that parser takes is read here as it reads it, and noted.
 */

/** What all values have. */
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
  /** Up to its first NUL: all that cryptsetup looks at, but for base64. */
  readonly text: string;
  /** All of it. */
  readonly whole: string;
}

/** An integer; what does not fit 64 bits is the nearest that does. */
export interface JsonInt extends Placed {
  readonly kind: "int";
  readonly value: bigint;
}

/** What no field of LUKS2 is. */
export interface JsonOther extends Placed {
  readonly kind: "double" | "boolean" | "null";
  /** What it is where a number is wanted: 1 for true, 0 for false and null. */
  readonly value: number;
}

/** A value at its place. */
export type JsonNode = JsonObject | JsonArray | JsonString | JsonInt | JsonOther;

/** Something that is wrong with text. */
export interface JsonFault {
  /** Where, in bytes from the start of the area. */
  readonly at: number;
  /** In a few words: `a comment`. */
  readonly what: string;
}

/** What became of an area. */
export interface JsonParsed {
  /** The value; absent where there is none. */
  readonly root?: JsonNode;
  /** Where what follows it starts, white space left out. */
  readonly end?: number;
  /** What makes it unreadable: its text, its depth, or how much there is of it. */
  readonly fault?: JsonFault & { readonly kind: "syntax" | "depth" | "values" };
  /** What is not JSON, and taken all the same; the first of each kind. */
  readonly lax: readonly JsonFault[];
}

/** A member of an object; `undefined` of what is no object. */
export function member(node: JsonNode | undefined, name: string): JsonNode | undefined {
  return node?.kind === "object" ? node.members.get(name) : undefined;
}

/** The members of an object, in order. */
export function members(node: JsonNode | undefined): [string, JsonNode][] {
  return node?.kind === "object" ? [...node.members] : [];
}
