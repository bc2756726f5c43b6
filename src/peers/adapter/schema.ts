import type { Json } from "../../format/mod.ts";

/** A JSON Schema (draft 2020-12), as far as the protocol uses it. */
export interface Schema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: "object" | "array" | "string" | "integer" | "boolean" | "null";
  readonly const?: Json;
  readonly enum?: readonly Json[];
  readonly anyOf?: readonly Schema[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean;
}

/** What in a value breaks a schema, each with the path in the value. */
export function schemaProblems(schema: Schema, value: Json, path = ""): string[] {
  const wrong = (what: string): string[] => [`${path === "" ? "/" : path}: ${what}`];
  const { type, anyOf } = schema;
  if (anyOf !== undefined) {
    const all = anyOf.map((each) => schemaProblems(each, value, path));
    if (all.some((problems) => problems.length === 0)) return [];
    // The problems of the alternative that has the right type.
    const near = anyOf.findIndex((each) => each.type === typeOf(value));
    return all[near] ?? wrong(`${brief(value)} is none of ${anyOf.map(nameOf).join(", ")}`);
  }
  if (type !== undefined && type !== typeOf(value)) return wrong(`${brief(value)} is no ${type}`);
  if (schema.const !== undefined && value !== schema.const) {
    return wrong(`${brief(value)} is not ${JSON.stringify(schema.const)}`);
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    return wrong(`${brief(value)} is not one of ${schema.enum.map(String).join(", ")}`);
  }
  if (typeof value === "string" && schema.pattern !== undefined) {
    if (!new RegExp(schema.pattern, "u").test(value)) {
      return wrong(`${brief(value)} does not match ${schema.pattern}`);
    }
  }
  if (typeof value === "number") return numberProblems(schema, value).flatMap(wrong);
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return [];
    return value.flatMap((item: Json, at) => schemaProblems(items, item, `${path}/${at}`));
  }
  return typeof value === "object" && value !== null
    ? memberProblems(schema, value as { readonly [key: string]: Json }, path)
    : [];
}

function numberProblems({ minimum = -Infinity, maximum = Infinity }: Schema, value: number) {
  if (value < minimum) return [`${value} is less than ${minimum}`];
  return value > maximum ? [`${value} is greater than ${maximum}`] : [];
}

function memberProblems(
  { required = [], properties = {}, additionalProperties = true }: Schema,
  value: { readonly [key: string]: Json },
  path: string,
): string[] {
  const place = path === "" ? "/" : path;
  return [
    ...required.filter((key) => value[key] === undefined).map((key) => `${place}: no ${key}`),
    ...Object.entries(value).flatMap(([key, member]) => {
      const schema = Object.hasOwn(properties, key) ? properties[key] : undefined;
      if (schema !== undefined) return schemaProblems(schema, member, `${path}/${key}`);
      return additionalProperties ? [] : [`${place}: unknown member ${brief(key)}`];
    }),
  ];
}

function typeOf(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

function nameOf({ type, title }: Schema): string {
  return title ?? type ?? "value";
}

const BRIEF = 60;

function brief(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > BRIEF ? `${text.slice(0, BRIEF)}…` : text;
}
