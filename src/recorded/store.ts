import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { PeerError, type Subject, writeScratchFile } from "../peers/mod.ts";
import {
  familyOf,
  packedFamilies,
  packedNames,
  readPacked,
  removePacked,
  writePacked,
} from "./archive/family.ts";
import type { TarFile } from "./archive/sparse_tar.ts";
import { recordOf } from "./parse.ts";
import type { ImageRecord, RecordedFile } from "./record.ts";

/** A recorded image with the bytes of its files, in the order of the record. */
export interface PackedImage {
  readonly record: ImageRecord;
  files(): Uint8Array[];
}

/** Names of images that `corpus add` has made start with this. */
export const ADDED = "added.";

/** Names of the images recorded in a directory, in order. */
export function recordNames(images: string): string[] {
  const entries = [...Deno.readDirSync(images)];
  return entries.filter((entry) => entry.isFile && entry.name.endsWith(".json"))
    .map((entry) => entry.name.slice(0, -".json".length)).sort();
}

/**
 * Reads what is recorded of an image.
 *
 * @throws {PeerError} when there is no such record
 */
export function readRecord(images: string, name: string): ImageRecord {
  const path = `${images}/${name}.json`;
  try {
    const record = recordOf(Deno.readTextFileSync(path));
    if (record.name === name) return record;
    throw new PeerError(`it is the record of ${record.name}`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PeerError(`Cannot use recorded image ${name}: ${reason}`);
  }
}

/** The subject of a record whose files are unpacked in a directory. */
export function subjectOf(record: ImageRecord, directory: string): Subject {
  const { subject: path, format, passphrases, header } = record;
  return {
    path,
    directory,
    ...(format === undefined ? {} : { format }),
    ...(passphrases === undefined ? {} : { passphrases }),
    ...(header === undefined ? {} : { header }),
  };
}

/** Unpacks the files of an image into a directory. */
export function unpackRecord(images: string, record: ImageRecord, directory: string): void {
  writeFiles(record, { directory, files: readRecordFiles(images, record) });
}

/**
 * A recorded image of a directory.
 *
 * @throws {PeerError} when there is no such record
 */
export function readImage(images: string, name: string): PackedImage {
  const record = readRecord(images, name);
  return { record, files: () => readRecordFiles(images, record) };
}

/** The bytes of the files of an image, in the order of the record. */
export function readRecordFiles(images: string, record: ImageRecord): Uint8Array[] {
  const isLoose = isThere(`${images}/${record.name}`);
  return record.files.map(({ name: file, size }) => {
    if (!isLoose) return readPacked(images, { name: record.name, file });
    const packed = Deno.readFileSync(loosePath(images, record.name, file));
    return gunzipSync(packed, { maxOutputLength: size + 1 });
  });
}

/**
 * Moves the loose files of a directory of images into the archives of their families, and drops files
 * of images that are not recorded any more.
 */
export function packFamilies(images: string): void {
  const families = Map.groupBy(recordNames(images), familyOf);
  for (const family of new Set([...families.keys(), ...packedFamilies(images)])) {
    const names = families.get(family) ?? [];
    const records = names.map((name) => readRecord(images, name));
    const wanted = records.flatMap(({ name, files }) =>
      files.map((file) => `${name}/${file.name}`)
    );
    const loose = names.filter((name) => isThere(`${images}/${name}`));
    if (loose.length === 0 && wanted.join("\n") === packedNames(images, family).join("\n")) {
      continue;
    }
    if (wanted.length > 0) writePacked(images, family, filesOf(images, records));
    else removePacked(images, family);
    for (const name of loose) Deno.removeSync(`${images}/${name}`, { recursive: true });
  }
}

/** The files of images, by names such as `IMAGE/FILE`. */
function* filesOf(images: string, records: readonly ImageRecord[]): Generator<TarFile> {
  for (const record of records) {
    for (const [index, bytes] of readRecordFiles(images, record).entries()) {
      yield { name: `${record.name}/${record.files[index]?.name}`, bytes };
    }
  }
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Writes the files of an image, in the order of the record, into a directory. Nothing is left out as a
 * hole: the map that qemu-img prints depends on the holes of a file.
 *
 * @throws {PeerError} when they are not what the record says, or cannot be written
 */
export function writeFiles(
  record: ImageRecord,
  { directory, files }: { directory: string; files: readonly Uint8Array[] },
): void {
  for (const [name, bytes] of filesAsRecorded({ record, files: () => [...files] })) {
    writeScratchFile(`${directory}/${name}`, bytes);
  }
}

/**
 * The files of an image by name, in the order of the record.
 *
 * @throws {PeerError} when they are not what the record says
 */
export function filesAsRecorded({ record, files }: PackedImage): Map<string, Uint8Array> {
  const unpacked = files();
  return new Map(record.files.map(({ name, size, sha256: expected }, index) => {
    const bytes = unpacked[index];
    if (bytes?.length !== size || sha256(bytes) !== expected) {
      throw new PeerError(`Cannot use recorded image ${record.name}: ${name} has changed`);
    }
    return [name, bytes];
  }));
}

/** Unpacks the files of an image into a directory. */
export function unpackPacked({ record, files }: PackedImage, directory: string): void {
  writeFiles(record, { directory, files: files() });
}

/** Stores the files of an image and its record, in place of what was there. */
export function storeRecord(images: string, record: ImageRecord, directory: string): void {
  removeRecord(images, record.name);
  Deno.mkdirSync(`${images}/${record.name}`, { recursive: true });
  for (const file of record.files) {
    const bytes = Deno.readFileSync(`${directory}/${file.name}`);
    Deno.writeFileSync(loosePath(images, record.name, file.name), gzipSync(bytes, { level: 9 }));
  }
  writeRecord(images, record);
}

/** Writes the record alone. */
export function writeRecord(images: string, record: ImageRecord): void {
  Deno.writeTextFileSync(`${images}/${record.name}.json`, recordText(record));
}

/** Removes an image and its record. */
export function removeRecord(images: string, name: string): void {
  for (const path of [`${images}/${name}`, `${images}/${name}.json`]) {
    try {
      Deno.removeSync(path, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Name, size and digest of a file. */
export function describeFile(directory: string, name: string): RecordedFile {
  const bytes = Deno.readFileSync(`${directory}/${name}`);
  return { name, size: bytes.length, sha256: sha256(bytes) };
}

function loosePath(images: string, name: string, file: string): string {
  return `${images}/${name}/${encodeURIComponent(file)}.gz`;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The text of a record. */
export function recordText(record: ImageRecord): string {
  return jsonText(record);
}

/** JSON in lines that a person can read: a value that fits into a line is in one. */
export function jsonText(value: object): string {
  return layOut(value, "") + "\n";
}

const LINE = 160;

function layOut(value: unknown, indent: string): string {
  const flat = oneLine(value);
  if (typeof value !== "object" || value === null || flat.length + indent.length < LINE) {
    return flat;
  }
  const inner = indent + " ";
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const items = Array.isArray(value)
    ? value.map((item) => inner + layOut(item, inner))
    : members(value).map(([key, member]) =>
      `${inner}${JSON.stringify(key)}: ${layOut(member, inner)}`
    );
  return `${open}\n${items.join(",\n")}\n${indent}${close}`;
}

function oneLine(value: unknown): string {
  // A number is written to its last digit: not every reader rounds as JavaScript does.
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value).toString();
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(oneLine).join(", ")}]`;
  const text = members(value).map(([key, member]) => `${JSON.stringify(key)}: ${oneLine(member)}`);
  return `{${text.join(", ")}}`;
}

function members(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, member]) => member !== undefined);
}
