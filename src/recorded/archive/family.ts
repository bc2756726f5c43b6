import { gunzipSync, gzipSync } from "node:zlib";
import { PeerError } from "../../peers/mod.ts";
import { UNPACKED_MAX } from "../parse.ts";
import { type PackedFile, packTar, readTar } from "./sparse_tar.ts";

/**
 * The files of the images of a family, in one archive beside the records: thousands of small files
 * would need several times their size on disk. Loose files of an image come before packed ones.
 */

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

/** A file that belongs into an archive, under the name `IMAGE/FILE`. */
interface Member {
  readonly name: string;
  bytes(): Uint8Array;
}

/** Writes the archive of a family, or removes it if there is nothing to put in it. */
export function writePacked(images: string, family: string, members: readonly Member[]): void {
  const path = `${images}/${family}${SUFFIX}`;
  const packed = gzipSync(packTar(inTurn(members)), { level: 9 });
  last = undefined;
  if (members.length > 0) Deno.writeFileSync(path, packed);
  else Deno.removeSync(path);
}

function* inTurn(members: readonly Member[]) {
  for (const { name, bytes } of members) yield { name, bytes: bytes() };
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
