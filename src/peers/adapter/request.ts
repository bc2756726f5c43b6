import { resolve } from "node:path";
import config from "../../../deno.json" with { type: "json" };
import type { Answers } from "../forwarding.ts";
import type { ChangeOperation, DigestScope, Subject, Taken } from "../peer.ts";

/** The version of the protocol between diskproof and adapters. */
export const PROTOCOL = 1;

/** The first request of each process. */
export const HELLO = {
  operation: "hello",
  protocol: PROTOCOL,
  diskproof: config.version,
} as const;

/** The operations of an adapter that are questions about an image. */
export type AdapterOperation = keyof Answers | "digest-snapshot" | "digest-range";

/** A question to an adapter. Offsets and lengths are exact decimal numbers. */
export interface AdapterRequest {
  /** What is asked. */
  readonly operation: AdapterOperation | ChangeOperation;
  /** The path of the image. */
  readonly image: string;
  /** The format to open the image as; detected where absent. */
  readonly format?: string;
  /** The path of a detached LUKS header of `image`. */
  readonly header?: string;
  /**
   * The passphrase of the image, then those of its backing files from the top down; the last is for
   * all further ones.
   */
  readonly passphrases?: readonly string[];
  /** The snapshot of `digest-snapshot` and of changes of snapshots. */
  readonly snapshot?: string;
  /** The start of `digest-range`, `read` and of a change, in bytes. */
  readonly offset?: string;
  /** The length of `digest-range`, `read` and of a change, in bytes. */
  readonly length?: string;
  /** The bytes of `write` in base64. */
  readonly data?: string;
  /** The size of the disk after `create` or `resize`, in bytes. */
  readonly size?: string;
}

/** The request for a question; `undefined` where the protocol has none. */
export function requestFor(
  operation: keyof Answers,
  subject: Subject,
  { snapshot, range }: DigestScope = {},
): AdapterRequest | undefined {
  if (snapshot !== undefined && range !== undefined) return undefined;
  const about = { image: subject.path, ...optional(subject) };
  if (snapshot !== undefined) return { operation: "digest-snapshot", ...about, snapshot };
  if (range === undefined) return { operation, ...about };
  const [offset, length] = [`${BigInt(range.start)}`, `${BigInt(range.length)}`];
  return { operation: "digest-range", ...about, offset, length };
}

/** The members of a request that not every subject has. */
export function optional({ format, header, passphrases = [] }: Subject): Partial<AdapterRequest> {
  return {
    ...(format === undefined ? {} : { format }),
    ...(header === undefined ? {} : { header }),
    ...(passphrases.length === 0 ? {} : { passphrases }),
  };
}

/** The request with full paths, for an adapter that stays in its folder. */
export function withFullPaths(request: AdapterRequest, directory = "."): AdapterRequest {
  const { image, header } = request;
  return {
    ...request,
    image: resolve(directory, image),
    ...(header === undefined ? {} : { header: resolve(directory, header) }),
  };
}

/** What an adapter has to support to answer a request. */
export function needsOf({ passphrases = [], header }: AdapterRequest): Taken[] {
  return [
    ...(passphrases.length > 0 ? ["passphrases" as const] : []),
    ...(header === undefined ? [] : ["header" as const]),
  ];
}
