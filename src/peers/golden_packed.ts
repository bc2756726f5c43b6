import { gunzipSync, gzipSync } from "node:zlib";
import type { GoldenRecord } from "./golden_record.ts";
import { recordText } from "./golden_store.ts";
import { type GoldenReport, verifyGolden, type VerifyOptions } from "./golden_verify.ts";
import { type Peer, PeerError } from "./peer.ts";
import { withScratch } from "./scratch.ts";
import { packTar, readTar } from "./sparse_tar.ts";

/** How an archive is called, behind its name. */
const SUFFIX = ".tar.gz";
/** Longest archive that is unpacked, in bytes: files in it have holes. */
const ARCHIVE_MAX = 2 ** 28;
/** Images that are asked about at a time. */
const WORKERS_MAX = 4;

/** A golden image with the bytes of its files, in the order of the record. */
export interface PackedImage {
  readonly record: GoldenRecord;
  files(): Uint8Array[];
}

/** The archives in a directory, with their paths, in order. */
export function archivesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)]
    .filter((entry) => entry.isFile && entry.name.endsWith(SUFFIX))
    .map((entry) => `${directory}/${entry.name}`).sort();
}

/**
 * Reads an archive of many small golden images: `NAME.json` is the record of an image, and
 * `NAME/FILE` are its files. What {@link packImages} makes; any tar that knows sparse files unpacks it.
 *
 * @throws {PeerError} when it is none, or damaged
 */
export function readArchive(path: string): PackedImage[] {
  try {
    return imagesIn(gunzipSync(Deno.readFileSync(path), { maxOutputLength: ARCHIVE_MAX }));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PeerError(`Cannot use ${path}: ${reason}`);
  }
}

function imagesIn(tar: Uint8Array): PackedImage[] {
  const files = readTar(tar);
  const byName = new Map(files.map((file) => [file.name, file]));
  return files.filter(({ name }) => name.endsWith(".json")).map((file) => {
    const record = JSON.parse(new TextDecoder().decode(file.unpack())) as GoldenRecord;
    const names = [record.name, ...record.files.map(({ name }) => name)];
    // They become names of files in a directory, and are not to lead out of it.
    const odd = names.find((name) => !/^\w[\w.-]*$/.test(name));
    if (odd !== undefined) throw new PeerError(`${odd} is no name`);
    const parts = record.files.map(({ name }) => {
      const part = byName.get(`${record.name}/${name}`);
      if (part !== undefined) return part;
      throw new PeerError(`${record.name}/${name} is missing`);
    });
    return { record, files: () => parts.map((part) => part.unpack()) };
  });
}

/** Packs images, in the order of their names. */
export function packImages(images: readonly PackedImage[]): Uint8Array {
  const sorted = [...images].sort((a, b) => a.record.name < b.record.name ? -1 : 1);
  const files = sorted.flatMap(({ record, files }) => {
    const text = new TextEncoder().encode(recordText(record));
    const parts = files().map((bytes, index) => {
      return { name: `${record.name}/${record.files[index]?.name}`, bytes };
    });
    return [{ name: `${record.name}.json`, bytes: text }, ...parts];
  });
  return gzipSync(packTar(files), { level: 9 });
}

/** What is to be verified: as {@link VerifyOptions}, but for the archive in place of a directory. */
export interface VerifyPackedOptions extends Omit<VerifyOptions, "images"> {
  readonly archive: string;
}

/**
 * Holds a peer against the images of an archive, a few of them at a time, as `verifyGolden` does.
 *
 * @throws {PeerError} when the peer cannot be started or the archive is damaged
 */
export async function verifyPacked(
  peer: Peer,
  { archive, names, ...options }: VerifyPackedOptions,
): Promise<GoldenReport> {
  const rest = readArchive(archive)
    .filter(({ record }) => names === undefined || names.includes(record.name));
  const reports: GoldenReport[] = [];
  const workers = Math.min(WORKERS_MAX, navigator.hardwareConcurrency);
  await Promise.all(Array.from({ length: workers }, async () => {
    for (let image = rest.shift(); image !== undefined; image = rest.shift()) {
      reports.push(await verifyAlone(peer, image, options));
    }
  }));
  return joinReports(reports);
}

/** Puts one image where `verifyGolden` finds it. */
async function verifyAlone(
  peer: Peer,
  { record, files }: PackedImage,
  options: Omit<VerifyOptions, "images" | "names">,
): Promise<GoldenReport> {
  return await withScratch(async (images) => {
    Deno.writeTextFileSync(`${images}/${record.name}.json`, recordText(record));
    Deno.mkdirSync(`${images}/${record.name}`);
    for (const [index, bytes] of files().entries()) {
      const name = `${record.name}/${record.files[index]?.name}.gz`;
      Deno.writeFileSync(`${images}/${name}`, gzipSync(bytes, { level: 1 }));
    }
    return await verifyGolden(peer, { ...options, images, names: [record.name] });
  });
}

/** Several reports as one, with what differs in the order of the images. */
export function joinReports(reports: readonly GoldenReport[]): GoldenReport {
  const sum = (count: (report: GoldenReport) => number) =>
    reports.reduce((total, report) => total + count(report), 0);
  return {
    images: sum(({ images }) => images),
    questions: sum(({ questions }) => questions),
    unsupported: sum(({ unsupported }) => unsupported),
    failures: reports.flatMap(({ failures }) => failures).sort(byImage),
    known: reports.flatMap(({ known }) => known).sort(byImage),
  };
}

function byImage(a: { readonly image: string }, b: { readonly image: string }): number {
  return a.image < b.image ? -1 : a.image > b.image ? 1 : 0;
}
