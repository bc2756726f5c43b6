/** Edits that put a volume into an online reencryption that keeps its key. */

import type { Json } from "../../../src/format/mod.ts";
import { type CaseEdit, json, reencryptionDigest } from "../edit.ts";
import { DATA } from "./models.ts";

/** A value in JSON, by its path. */
export type JsonValue = readonly [path: string, value: Json | undefined];

/** The free pages at the end of the area for key slots. */
const PLACE = { offset: String(DATA - 8192), size: "4096" } as const;

/** An area for a journal. */
export const journal = { type: "journal", ...PLACE } as const;

/** The key slot of a reencryption that has begun. */
export const reencrypt = {
  type: "reencrypt",
  key_size: 1,
  mode: "reencrypt",
  direction: "forward",
  area: { type: "none", ...PLACE },
} as const;

/** An area for checksums. */
export function checksum(hash: string, sectorSize: Json): { [name: string]: Json } {
  return { type: "checksum", ...PLACE, hash, sector_size: sectorSize };
}

/** An area for data that is moved. */
export function shift(size: number | string): { [name: string]: Json } {
  return { type: "datashift", ...PLACE, shift_size: String(size) };
}

/** A segment with the cipher and the key of the volume. */
export function cryptSegment(
  offset: number,
  size: number | "dynamic",
  flags?: readonly string[],
): { [name: string]: Json } {
  return {
    type: "crypt",
    offset: String(offset),
    size: String(size),
    iv_tweak: String((offset - DATA) / 512),
    encryption: "aes-xts-plain64",
    sector_size: 512,
    ...flags === undefined ? {} : { flags: [...flags] },
  };
}

/** A volume in an online reencryption that has not processed anything yet. */
export const BEGUN: readonly JsonValue[] = [
  ["/config/requirements", { mandatory: ["online-reencrypt-v2"] }],
  ["/keyslots/1", reencrypt],
  ["/segments/1", cryptSegment(DATA, "dynamic", ["backup-previous"])],
  ["/segments/2", cryptSegment(DATA, "dynamic", ["backup-final"])],
  ["/digests/0/segments", ["0", "1", "2"]],
];

/** The segments of a volume whose second kibibyte, or more, is in reencryption. */
export function interruptedAt(size: number, others: Record<string, Json> = {}): JsonValue[] {
  return [
    ["/segments/0", cryptSegment(DATA, 1024)],
    ["/segments/1", cryptSegment(DATA + 1024, size, ["in-reencryption"])],
    ["/segments/2", cryptSegment(DATA + 1024 + size, "dynamic")],
    ["/segments/3", cryptSegment(DATA, "dynamic", ["backup-previous"])],
    ["/segments/4", cryptSegment(DATA, "dynamic", ["backup-final"])],
    ["/digests/0/segments", ["0", "1", "2", "3", "4"]],
    ...Object.entries(others),
  ];
}

/** Puts a volume into an online reencryption, with the given differences from a valid one. */
export function reencrypting(values: readonly JsonValue[] = []): CaseEdit[] {
  return [...BEGUN, ...values].map(([path, value]) => json(path, value));
}

/** The same, with the digest that the key slot requires. */
export function signed(values: readonly JsonValue[] = []): CaseEdit[] {
  return [...reencrypting(values), reencryptionDigest("9")];
}
