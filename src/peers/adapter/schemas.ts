import type { Json } from "../../format/mod.ts";
import { formatNames } from "../../formats.ts";
import { ANSWER_KINDS } from "./answer.ts";
import type { ChangeOperation } from "../peer.ts";
import { CHANGE_OPERATIONS } from "./change.ts";
import { type AdapterOperation, PROTOCOL } from "./request.ts";
import { type Schema, schemaProblems } from "./schema.ts";

const text: Schema = { type: "string" };
const texts: Schema = { type: "array", items: text };
const flag: Schema = { type: "boolean" };
const decimal: Schema = { type: "string", pattern: "^(0|[1-9][0-9]{0,19})$" };
/** A number that may be above 2^53. Multiples of 512 up to 2^62 are exact as a number as well. */
const exact: Schema = { anyOf: [{ type: "integer", minimum: 0, maximum: 2 ** 63 }, decimal] };
const count: Schema = { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER };

const OPERATIONS: readonly AdapterOperation[] = [
  "probe",
  "info",
  "map",
  "check",
  "digest",
  "digest-snapshot",
  "digest-range",
  "unlock",
];

/** The operations that an adapter can list; `digest` includes snapshots and ranges. */
export const LISTED_OPERATIONS: readonly string[] = [
  ...OPERATIONS.filter((it) => !it.startsWith("digest-")),
  ...CHANGE_OPERATIONS,
];

function requestSchema(operation: string, own: Readonly<Record<string, Schema>>): Schema {
  return {
    type: "object",
    required: ["id", "operation", ...Object.keys(own)],
    properties: {
      id: text,
      operation: { const: operation },
      ...own,
      ...(operation === "hello" ? {} : {
        format: { enum: formatNames },
        header: text,
        passphrases: texts,
      }),
    },
    additionalProperties: false,
  };
}

const OWN_MEMBERS: Readonly<Record<string, Readonly<Record<string, Schema>>>> = {
  "digest-snapshot": { snapshot: text },
  "digest-range": { offset: decimal, length: decimal },
  create: { size: decimal },
  read: { offset: decimal, length: decimal },
  write: { offset: decimal, data: text },
  "write-zeroes": { offset: decimal, length: decimal },
  discard: { offset: decimal, length: decimal },
  resize: { size: decimal },
  "snapshot-create": { snapshot: text },
  "snapshot-apply": { snapshot: text },
  "snapshot-delete": { snapshot: text },
};

/** What diskproof sends, by operation. */
const REQUESTS: Readonly<Record<string, Schema>> = {
  hello: requestSchema("hello", { protocol: { const: PROTOCOL }, diskproof: text }),
  ...Object.fromEntries(
    [...OPERATIONS, ...CHANGE_OPERATIONS].map((operation) => [
      operation,
      requestSchema(operation, { image: text, ...OWN_MEMBERS[operation] }),
    ]),
  ),
};

/** The line around an answer of a long-lived adapter. */
const ENVELOPE: Schema = {
  anyOf: ANSWER_KINDS.map((kind): Schema => ({
    title: kind,
    type: "object",
    required: ["id", kind],
    properties: {
      id: text,
      [kind]: kind === "ok" ? {} : text,
      ...(kind === "unsupported" ? { feature: text } : {}),
    },
    additionalProperties: false,
  })),
};

const digest: Schema = {
  type: "object",
  required: ["sha256"],
  properties: { sha256: { type: "string", pattern: "^[0-9a-f]{64}$" }, length: exact },
  additionalProperties: false,
};

/** The answer to a change has nothing to say. */
const CHANGED: Schema = { type: "object" };

/** What an adapter answers, by operation: the value of `ok`, or what it prints. */
const ANSWERS: Readonly<Record<AdapterOperation | ChangeOperation | "hello", Schema>> = {
  hello: {
    type: "object",
    required: ["name", "version"],
    properties: {
      protocol: { const: PROTOCOL },
      name: text,
      version: text,
      language: text,
      homepage: text,
      operations: { type: "array", items: { enum: LISTED_OPERATIONS } },
      formats: { type: "array", items: { enum: formatNames } },
      features: texts,
      takes: { type: "array", items: { enum: ["passphrases", "header"] } },
      concurrent: { type: "integer", minimum: 1 },
    },
    additionalProperties: false,
  },
  probe: { type: "object", required: ["format"], properties: { format: text } },
  info: {
    type: "object",
    required: ["format", "virtual-size"],
    properties: {
      format: text,
      "virtual-size": exact,
      "cluster-size": count,
      encrypted: flag,
      "backing-filename": text,
      "backing-filename-format": text,
      snapshots: { type: "array", items: { type: "object" } },
      "format-specific": { type: "object" },
    },
  },
  map: {
    type: "array",
    items: {
      type: "object",
      required: ["start", "length"],
      properties: {
        start: exact,
        length: exact,
        offset: exact,
        depth: count,
        present: flag,
        zero: flag,
        data: flag,
        compressed: flag,
        filename: text,
      },
      additionalProperties: false,
    },
  },
  check: {
    type: "object",
    properties: {
      "exit-status": { enum: [0, 1, 2, 3, 63] },
      corruptions: count,
      leaks: count,
      "check-errors": count,
      "image-end-offset": count,
      "total-clusters": count,
      "allocated-clusters": count,
      "fragmented-clusters": count,
      "compressed-clusters": count,
    },
  },
  digest,
  "digest-snapshot": digest,
  "digest-range": digest,
  unlock: { type: "object", properties: { slot: count }, additionalProperties: false },
  ...Object.fromEntries(CHANGE_OPERATIONS.map((it) => [it, CHANGED])) as {
    readonly [Operation in ChangeOperation]: Schema;
  },
  read: { type: "object", required: ["data"], properties: { data: text } },
};

/** What is wrong with a request; nothing for one that keeps the protocol. */
export function problemsOfRequest(request: { readonly [key: string]: unknown }): string[] {
  const schema = REQUESTS[String(request["operation"])];
  return schema === undefined
    ? [`/operation: there is no operation ${String(request["operation"])}`]
    : schemaProblems(schema, request as unknown as Json);
}

/** What is wrong with the line around an answer. */
export function problemsOfEnvelope(json: Json): string[] {
  return schemaProblems(ENVELOPE, json);
}

/** What is wrong with the answer to an operation. */
export function problemsOfAnswer(
  operation: AdapterOperation | ChangeOperation | "hello",
  json: Json,
): string[] {
  return schemaProblems(ANSWERS[operation], json);
}

/** The protocol as one JSON Schema document; its root is any line in either direction. */
export function protocolSchema(): Json {
  const refs = (part: string, names: readonly string[]) =>
    names.map((name) => ({ $ref: `#/$defs/${part}/${name}` }));
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: `The protocol between diskproof and adapters, version ${PROTOCOL}`,
    anyOf: [...refs("requests", Object.keys(REQUESTS)), { $ref: "#/$defs/answer" }],
    $defs: { requests: REQUESTS, answer: ENVELOPE, answers: ANSWERS } as unknown as Json,
  } as unknown as Json;
}
