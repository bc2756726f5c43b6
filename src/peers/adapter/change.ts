import { Buffer } from "node:buffer";
import type { Json } from "../../format/mod.ts";
import { membersOf, ShapeError } from "../answers.ts";
import type { Change, ChangeOperation, Subject } from "../peer.ts";
import { type AdapterRequest, optional } from "./request.ts";

/** The operations of an image that is kept open, of which an adapter may list some. */
export const CHANGE_OPERATIONS: readonly ChangeOperation[] = [
  "create",
  "read",
  "write",
  "write-zeroes",
  "discard",
  "flush",
  "close",
  "resize",
  "snapshot-create",
  "snapshot-apply",
  "snapshot-delete",
];

/** The request for a change. */
export function changeRequest(
  { operation, offset, length, data, size, snapshot }: Change,
  subject: Subject,
): AdapterRequest {
  const decimal = (value: number) => `${BigInt(value)}`;
  return {
    operation,
    image: subject.path,
    ...optional(subject),
    ...(offset === undefined ? {} : { offset: decimal(offset) }),
    ...(length === undefined ? {} : { length: decimal(length) }),
    ...(size === undefined ? {} : { size: decimal(size) }),
    ...(data === undefined ? {} : { data: Buffer.from(data).toString("base64") }),
    ...(snapshot === undefined ? {} : { snapshot }),
  };
}

/**
 * The bytes in the answer to a change; none unless it is `read`.
 *
 * @throws {ShapeError} for an answer to `read` without as many bytes as were requested
 */
export function bytesIn({ operation, length = 0 }: Change, json: Json): Uint8Array {
  if (operation !== "read") return new Uint8Array();
  const { data } = membersOf(json);
  const bytes = Buffer.from(typeof data === "string" ? data : "", "base64");
  if (bytes.length === length) return bytes;
  throw new ShapeError(`The answer to read has ${bytes.length} bytes of data, not ${length}`);
}
