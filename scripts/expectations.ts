/**
 * Records what the format expects of implementations, for each question about each recorded image.
 *
 * @module
 */

import { parseOptions, print, UsageError } from "../src/cli/mod.ts";
import {
  archivesIn,
  type ImageRecord,
  type PackedImage,
  packImages,
  readArchive,
  readRecord,
  recordNames,
  unpackPacked,
  unpackRecord,
  withExpectations,
  writeRecord,
} from "../src/recorded/mod.ts";

/** The text of `--help`. */
export const help = `Record what the format expects for each question about each recorded image.

It follows from the findings of the judge; no tool is needed. Run it after a change to the rules or to
the judge, and read the differences.

Usage: deno task expectations [--check]

Options:
  --check   write nothing; exit status 1 if a record is stale
  --help    this text

Example:
  deno task expectations --check
`;

const SETS = ["golden/images", "corpus/images", "corpus/matrix", "corpus/matrix-cryptsetup"];

/**
 * Runs a command line.
 *
 * @returns the exit status
 */
export async function run(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, { flags: ["check"] });
  if (options.positional.length > 0) throw new UsageError("expectations takes no arguments");
  const writes = !options.flag("check");
  let stale = 0;
  for (const set of SETS) {
    const images = new URL(`../${set}`, import.meta.url).pathname;
    for (const name of await staleIn(images, writes)) {
      print(`${name}: ${writes ? "written" : "stale"}`);
      stale++;
    }
  }
  return writes || stale === 0 ? 0 : 1;
}

/** The names of the stale records and archives in a directory, which are written if asked. */
async function staleIn(images: string, writes: boolean): Promise<string[]> {
  const stale: string[] = [];
  for (const name of recordNames(images)) {
    const record = readRecord(images, name);
    const fresh = await withExpectations(record, (to) => unpackRecord(images, record, to));
    if (isSame(record, fresh)) continue;
    stale.push(name);
    if (writes) writeRecord(images, fresh);
  }
  for (const archive of archivesIn(images)) {
    const packed = readArchive(archive);
    const fresh: PackedImage[] = [];
    for (const image of packed) {
      const record = await withExpectations(image.record, (to) => unpackPacked(image, to));
      fresh.push({ record, files: image.files });
    }
    if (fresh.every(({ record }, at) => isSame(record, packed[at]?.record))) continue;
    stale.push(archive.slice(archive.lastIndexOf("/") + 1));
    if (writes) Deno.writeFileSync(archive, packImages(fresh));
  }
  return stale;
}

function isSame(record: ImageRecord, other: ImageRecord | undefined): boolean {
  return JSON.stringify(record.expected) === JSON.stringify(other?.expected);
}
