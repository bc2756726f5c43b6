/**
 * The files of the images of a family, in one archive beside the records: thousands of small files
 * would need several times their size on disk. Loose files of an image come before packed ones.
 */

import { gunzipSync, gzipSync } from "node:zlib";
import { PeerError } from "../../peers/mod.ts";
import { UNPACKED_MAX } from "../parse.ts";
import { type PackedFile, packTar, readTar, type TarFile } from "./sparse_tar.ts";

const SUFFIX = ".files.tgz";

/** The family of an image, by the first two words of its name: `qcow2.header`, `luks-aes`. */
export function familyOf(name: string): string {
  return /^[^.-]+(?:[.-][^.-]+)?/.exec(name)?.[0] ?? name;
}

/** The archive that was read last; images are read in the order of their names. */
let last: { readonly path: string; readonly files: ReadonlyMap<string, PackedFile> } | undefined;

/**
 * A file of an image in the archive of its family.
 *
 * @throws {PeerError} when it is not there
 */
export function readPacked(
  images: string,
  { name, file }: { name: string; file: string },
): Uint8Array {
  const packed = familyFiles(images, familyOf(name)).get(`${name}/${file}`);
  if (packed === undefined) throw new PeerError(`Cannot find ${file} of recorded image ${name}`);
  return packed.unpack();
}

/** The files in the archive of a family, by name; none where there is no archive. */
function familyFiles(images: string, family: string): ReadonlyMap<string, PackedFile> {
  const path = `${images}/${family}${SUFFIX}`;
  if (last?.path !== path) {
    last = { path, files: new Map(filesIn(path).map((file) => [file.name, file])) };
  }
  return last.files;
}

function filesIn(path: string): PackedFile[] {
  try {
    return readTar(gunzipSync(Deno.readFileSync(path), { maxOutputLength: UNPACKED_MAX }));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    const reason = error instanceof Error ? error.message : String(error);
    throw new PeerError(`Cannot use ${path}: ${reason}`);
  }
}

/**
 * Writes the archive of a family.
 *
 * @param files by names such as `IMAGE/FILE`; they may come from the archive that is replaced
 */
export function writePacked(images: string, family: string, files: Iterable<TarFile>): void {
  const packed = gzipSync(packTar(files), { level: 9 });
  last = undefined;
  Deno.writeFileSync(`${images}/${family}${SUFFIX}`, packed);
}

/** Removes the archive of a family. */
export function removePacked(images: string, family: string): void {
  last = undefined;
  Deno.removeSync(`${images}/${family}${SUFFIX}`);
}

/** The families that have an archive in a directory. */
export function packedFamilies(images: string): string[] {
  return [...Deno.readDirSync(images)].map(({ name }) => name)
    .filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length));
}

/** The names of the files in the archive of a family. */
export function packedNames(images: string, family: string): string[] {
  return [...familyFiles(images, family).keys()];
}
