import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { FileSource, isZero, SECTOR } from "../../src/bytes/mod.ts";
import { imagesOf, layersOf, type OpenedImage, wholeFile } from "../../src/image/mod.ts";
import { learnHoles, openSubject } from "../../src/peers/mod.ts";
import { compareAnswer } from "./answers.ts";
import { writeAll } from "./files.ts";
import type { Seen } from "./observation.ts";
import type { Asked } from "./outcomes.ts";
import type { Toolbox } from "./tools.ts";

/** What file systems store or leave out at least. */
const BLOCK = 4096;
/** Bytes of the longest file that is copied. */
const FILE_MAX = 2 ** 22;

/**
 * Compares the map of an image whose files have a hole for every block of zeros. The holes are those that
 * the kernel reports. Encrypted images are left out: the passphrases would be tried once more.
 */
export async function compareSparseMap(asked: Asked, tools: Toolbox): Promise<Seen[]> {
  const { subject } = asked;
  if (layersOf(asked.image).some(({ encrypted }) => encrypted)) return [];
  const from = dirname(subject.path);
  // Other images of the same case may be compared at the same time.
  const directory = mkdtempSync(join(from, "sparse-"));
  const path = join(directory, basename(subject.path));
  let image: OpenedImage | undefined;
  try {
    const files = readdirSync(from)
      .map((name) => ({ name, facts: statSync(join(from, name)) }))
      .filter(({ facts }) => facts.isFile());
    if (files.some(({ facts }) => facts.size > FILE_MAX)) return [];
    for (const { name } of files) {
      writeSparsely(join(directory, name), readFileSync(join(from, name)));
    }
    const sparse = { ...subject, directory, path };
    image = openSubject(sparse);
    if (await learnHoles(image) !== undefined) return [];
    const found = await compareAnswer({ ...asked, subject: sparse, image }, "map", tools);
    // A file system may store a file in another way at any time, and the map depends on it.
    return isStoredAsBefore(image) ? found : [];
  } finally {
    image?.close();
    rmSync(directory, { recursive: true });
  }
}

function writeSparsely(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, "w");
  try {
    ftruncateSync(fd, bytes.length);
    for (let at = 0; at < bytes.length; at += BLOCK) {
      const block = bytes.subarray(at, at + BLOCK);
      if (!isZero(block)) writeAll(fd, block, at);
    }
  } finally {
    closeSync(fd);
  }
}

function isStoredAsBefore(image: OpenedImage): boolean {
  for (const { source, layer } of imagesOf(image)) {
    for (const file of [wholeFile(source).file, layer?.dataFileSource]) {
      if (!(file instanceof FileSource)) continue;
      if (statSync(file.path).blocks * SECTOR !== file.allocated) return false;
    }
  }
  return true;
}
