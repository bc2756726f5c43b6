import type { ImageRecord } from "./record.ts";
import { PeerError } from "../peers/mod.ts";

/** Longest file of an image that is unpacked, and longest archive, in bytes. */
export const UNPACKED_MAX = 2 ** 28;

/**
 * Reads a record. Names in it become names of files in a directory, and none leads out of it.
 *
 * @throws {PeerError} when it is not a record, or its files are too long
 */
export function recordOf(text: string): ImageRecord {
  const record: unknown = JSON.parse(text);
  if (!isObject(record) || !isName(record["name"])) throw damaged("it has no name");
  const { name, files, subject, header, answers } = record;
  if (!Array.isArray(files) || !files.every(isFile)) throw damaged(`${name} has no files`);
  const sizes = files.reduce((sum, { size }) => sum + size, 0);
  if (sizes > UNPACKED_MAX) throw damaged(`${name} is longer than ${UNPACKED_MAX} bytes`);
  const names = [subject, ...(header === undefined ? [] : [header]), ...files.map((it) => it.name)];
  const odd = names.find((it) => !isName(it));
  if (odd !== undefined) throw damaged(`${JSON.stringify(odd)} is not the name of a file in it`);
  if (!isObject(answers)) throw damaged(`${name} has no answers`);
  return record as unknown as ImageRecord;
}

function isFile(file: unknown): file is { name: string; size: number } {
  return isObject(file) && typeof file["name"] === "string" &&
    typeof file["sha256"] === "string" && Number.isSafeInteger(file["size"]) &&
    Number(file["size"]) >= 0;
}

/** Whether a name is that of a file in a directory, and of no other place. */
function isName(name: unknown): name is string {
  return typeof name === "string" && name !== "" && name !== "." && name !== ".." &&
    !/[/\\\0]/.test(name);
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function damaged(reason: string): PeerError {
  return new PeerError(`it is not a record: ${reason}`);
}
