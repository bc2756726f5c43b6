import { utf8 } from "../../bytes/mod.ts";
import { gunzipSync, gzipSync } from "node:zlib";
import { type Peer, PeerError } from "../../peers/mod.ts";
import { recordOf, UNPACKED_MAX } from "../parse.ts";
import type { VerifyReport } from "../report.ts";
import { type PackedImage, readImage, recordNames, recordText } from "../store.ts";
import { verifyEach, type VerifyOptions } from "../verify.ts";
import { packTar, readTar } from "./sparse_tar.ts";

/** The suffix of archives. */
const SUFFIX = ".tar.gz";
/** Longest record in an archive, in bytes. */
const RECORD_MAX = 2 ** 24;

/** The archives in a directory, with their paths, in order. */
export function archivesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)]
    .filter((entry) => entry.isFile && entry.name.endsWith(SUFFIX))
    .map((entry) => `${directory}/${entry.name}`).sort();
}

/**
 * Reads an archive of many small images: `NAME.json` is the record of an image, and
 * `NAME/FILE` are its files. What {@link packImages} makes; any tar that knows sparse files unpacks it.
 *
 * @throws {PeerError} when it is not an archive, or damaged
 */
export function readArchive(path: string): PackedImage[] {
  try {
    return unpacked(gunzipSync(Deno.readFileSync(path), { maxOutputLength: UNPACKED_MAX }));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PeerError(`Cannot use ${path}: ${reason}`);
  }
}

function unpacked(tar: Uint8Array): PackedImage[] {
  const files = readTar(tar);
  const byName = new Map(files.map((file) => [file.name, file]));
  return files.filter(({ name }) => name.endsWith(".json")).map((file) => {
    if (file.size > RECORD_MAX) throw new PeerError(`${file.name} is too long`);
    const record = recordOf(new TextDecoder().decode(file.unpack()));
    const parts = record.files.map(({ name, size }) => {
      const part = byName.get(`${record.name}/${name}`);
      if (part?.size === size) return part;
      throw new PeerError(`${record.name}/${name} is missing or has the wrong size`);
    });
    return { record, files: () => parts.map((part) => part.unpack()) };
  });
}

/** Packs images, in the order of their names. */
export function packImages(images: readonly PackedImage[]): Uint8Array {
  const sorted = [...images].sort((a, b) => a.record.name < b.record.name ? -1 : 1);
  const files = sorted.flatMap(({ record, files }) => {
    const text = utf8(recordText(record));
    const parts = files().map((bytes, index) => {
      return { name: `${record.name}/${record.files[index]?.name}`, bytes };
    });
    return [{ name: `${record.name}.json`, bytes: text }, ...parts];
  });
  return gzipSync(packTar(files), { level: 9 });
}

/** What to verify: as {@link VerifyOptions}, with an archive in place of a directory. */
export interface VerifyArchiveOptions extends Omit<VerifyOptions, "images"> {
  readonly archive: string;
}

/**
 * Compares a peer with the images of an archive, a few of them at a time, as `verifyRecords` does.
 *
 * @throws {PeerError} when the peer cannot be started or the archive is damaged
 */
export async function verifyArchive(
  peer: Peer,
  { archive, names, ...options }: VerifyArchiveOptions,
): Promise<VerifyReport> {
  const images = readArchive(archive)
    .filter(({ record }) => names === undefined || names.includes(record.name));
  return await verifyEach(peer, images.map((image) => () => image), options);
}

/** A recorded image that is read when it is needed. */
export interface StoredImage {
  readonly name: string;
  /** @throws {PeerError} when it is damaged */
  load(): PackedImage;
}

/**
 * The recorded images of a directory, and those of the archives in it, each of which is unpacked once.
 *
 * @throws {PeerError} when an archive is damaged
 */
export function imagesIn(directory: string): StoredImage[] {
  const single = recordNames(directory).map((name): StoredImage => {
    return { name, load: () => readImage(directory, name) };
  });
  const packed = archivesIn(directory).flatMap(readArchive).map((image): StoredImage => {
    return { name: image.record.name, load: () => image };
  });
  return [...single, ...packed];
}
