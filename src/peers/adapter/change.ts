import { Buffer } from "node:buffer";
import type { Change, ChangeOperation, Subject } from "../peer.ts";
import { type AdapterRequest, optional } from "./request.ts";

/** The operations that change an image, of which an adapter may list some. */
export const CHANGE_OPERATIONS: readonly ChangeOperation[] = [
  "create",
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
