import { FileSource, FileStore } from "../bytes/mod.ts";
import { AccessError, type Dialect, type Layer } from "../format/mod.ts";
import { formatCalled, formatNames } from "../formats.ts";
import {
  backingPathOf,
  HeaderError,
  imagesOf,
  layersOf,
  type OpenedImage,
  openImage,
  type OpenOptions,
  openRefusal,
} from "../image/mod.ts";
import { ITERATIONS_BUDGET, ITERATIONS_MAX } from "../luks1/mod.ts";
import type { Finding, Opening } from "../rules/mod.ts";
import { holdsFile } from "./deno_files.ts";
import { complainOf } from "./program.ts";
import { PASSPHRASES, PASSPHRASES_HELP, passphrasesOf } from "./passphrases.ts";
import { unsupportedFormat, whyUnreadable } from "./reasons.ts";
import { mustBeUnlocked } from "./locked.ts";
import { type OptionNames, type Options, wholeNumber } from "./options.ts";
import { ImageError, UsageError } from "./verb.ts";

/** The options for opening an image. */
export const OPENING = {
  values: ["format", "root", "header", "dialect", "max-iterations"],
  lists: PASSPHRASES.lists,
  letters: { f: "format" },
} as const satisfies OptionNames;

/** The help text of these options. */
export const OPENING_HELP = `  -f, --format NAME    the format: ${
  formatNames.join(", ")
} (default: probe)
  --root DIR           the folder that backing files and data files may be opened in
                       (default: the folder of the image)
  --header FILE        the detached LUKS header; IMAGE is the payload
  --dialect draft-2016 read qcow2 with LUKS as the draft of 2016 defined it
${PASSPHRASES_HELP}
  --max-iterations N   the limit on the work of trying passphrases, in PBKDF2-SHA256
                       iterations, for all images together (default ${ITERATIONS_BUDGET})`;

/** How an image is opened. */
export interface Opened {
  /** Do not open the files that it refers to. */
  readonly alone?: boolean;
}

/**
 * Opens an image as the options say.
 *
 * @throws {UsageError} when the file cannot be read, or the options make no sense
 */
export function openNamed(path: string, options: Options, how: Opened = {}): OpenedImage {
  return openAs(path, options, (opening) => openImage(path, { ...how, ...opening }));
}

/**
 * Opens an image with `open` as the options say.
 *
 * @throws {UsageError} when the file cannot be read, or the options make no sense
 */
export function openAs<T>(path: string, options: Options, open: (how: OpenOptions) => T): T {
  const named = options.value("format");
  const format = named === undefined ? undefined : formatCalled(named);
  if (named !== undefined && format === undefined) {
    throw new UsageError(unsupportedFormat(named, formatNames));
  }
  if (!holdsFile(path)) mustNotBeStandardInput(path);
  const dialect = dialectOf(options);
  const passphrases = keysOf(options);
  const header = options.value("header");
  const iterationsMax = wholeNumber(options, "max-iterations", { min: 1, max: ITERATIONS_MAX });
  const root = options.value("root");
  if (root !== undefined) mustBeDirectory(root);
  try {
    return open({
      // It is in no folder, or in one that cannot be looked at.
      ...(holdsFile(path) && root === undefined ? { follow: false } : {}),
      detect: true,
      ...(format === undefined ? {} : { format }),
      ...(root === undefined ? {} : { root }),
      ...(header === undefined ? {} : { header }),
      ...(dialect === undefined ? {} : { dialect }),
      ...(passphrases.length === 0 ? {} : { passphrases }),
      ...(iterationsMax === undefined ? {} : { iterationsMax }),
    });
  } catch (error) {
    const unread = error instanceof HeaderError ? header : path;
    throw new UsageError(`Cannot open ${unread}: ${whyUnreadable(error)}`);
  }
}

/**
 * Rejects a dash as the name of an image.
 *
 * @throws {UsageError} for `-`
 */
export function mustNotBeStandardInput(path: string): void {
  if (path !== "-") return;
  throw new UsageError(
    "Cannot open -: an image is read in any order, which a pipe does not allow; " +
      "save it to a file first (a file with the name - is ./-)",
  );
}

/** Standard input is read once, however many images there are. */
const keys = new WeakMap<Options, readonly Uint8Array[]>();

/** The passphrases for the images. */
export function keysOf(options: Options): readonly Uint8Array[] {
  const known = keys.get(options) ?? passphrasesOf(options);
  keys.set(options, known);
  return known;
}

/** Sets the passphrases, which another thread has read. */
export function useKeys(options: Options, passphrases: readonly Uint8Array[]): void {
  keys.set(options, passphrases);
}

/** @throws {UsageError} for an unknown dialect */
export function dialectOf(options: Options): Dialect | undefined {
  const dialect = options.value("dialect");
  if (dialect === undefined || dialect === "draft-2016") return dialect;
  throw new UsageError(`--dialect must be draft-2016, not '${dialect}'`);
}

/** @throws {UsageError} for anything but a directory */
function mustBeDirectory(root: string): void {
  try {
    if (!Deno.statSync(root).isDirectory) throw new TypeError("it is not a folder");
  } catch (error) {
    throw new UsageError(`Cannot use --root ${root}: ${whyUnreadable(error)}`);
  }
}

/**
 * @throws {UsageError} when a passphrase is missing or wrong
 * @throws {ImageError} when the image is rejected for another reason
 */
export function mustOpen(image: OpenedImage, opening: Opening): Layer {
  const { findings, layer, path, format } = image;
  if (["read", "write"].includes(opening) && layer?.unlocked === false) mustBeUnlocked(image);
  const refusal = openRefusal(image, opening);
  if (refusal !== undefined) {
    mustBeUnlocked(image);
    throw rejectedBy(image, openRefusal(image, "info") ?? refusal);
  }
  if (layer !== undefined) return layer;
  mustBeKnown(image);
  const tooMuch = findings.list().find(({ rule }) => rule.includes(".work."));
  if (tooMuch !== undefined) throw rejectedBy(image, tooMuch);
  throw new ImageError(`Cannot open ${path}: it is not a usable ${format} image`);
}

/**
 * The layers of an image whose content is wanted, from the top down.
 *
 * @param snapshot id or name of the snapshot to read instead of the active content
 * @throws {ImageError} when it does not open, or a part of its content is missing
 */
export function readableLayers(image: OpenedImage, snapshot?: string): Layer[] {
  mustOpen(image, "read");
  mustBeComplete(image);
  const layers = layersOf(image, snapshot);
  if (layers !== undefined) return layers;
  throw new ImageError(`Cannot read ${image.path}: it has no snapshot '${snapshot}'`);
}

/**
 * The names of the images of a chain as qemu-img prints them, from the top down: the first as the
 * user typed it, the others as in their overlays, with the folder.
 */
export function chainNames(image: OpenedImage, name: string): string[] {
  const names = [name];
  for (let at = image; at.backing !== undefined; at = at.backing) {
    names.push(backingPathOf({ ...at, path: names.at(-1) ?? name }) ?? at.backing.path);
  }
  return names;
}

function rejectedBy(
  { path, findings, dialect, definition }: OpenedImage,
  broken: Finding,
): ImageError {
  const [draft] = Object.entries(definition.verdict.drafts ?? {})
    .find(([, { sign }]) => dialect === undefined && findings.count(sign) > 0) ?? [];
  const way = draft === undefined
    ? ""
    : `; --dialect ${draft} reads it as the draft of ${draft.replace(/^draft-/, "")} defined it`;
  return new ImageError(`Cannot open ${path}: ${broken.message} (${broken.rule})${way}`);
}

/** @throws {ImageError} when the image, or the payload of a detached header, is of a foreign format */
export function mustBeKnown({ path, definition, payload }: OpenedImage): void {
  const { title, foreign } = payload?.definition ?? definition;
  if (foreign !== true) return;
  const which = payload === undefined ? path : `The payload ${path}`;
  throw new ImageError(
    `${which} is a ${title} image, which diskproof does not read ` +
      `(supported: ${formatNames.join(", ")}); use -f raw to read the file itself as raw`,
  );
}

/** @throws {ImageError} about the file of the chain that was not opened, if there is one */
export function mustBeComplete(image: OpenedImage): void {
  if (!image.incomplete) return;
  const found = image.findings.unknown();
  if (found !== undefined) throw rejectedBy(image, found);
  throw new ImageError(`Cannot read ${image.path}: a file that it refers to was not opened`);
}

/**
 * Runs `work`, and turns a failed access into an error of the image.
 *
 * @throws {ImageError} where QEMU's read fails
 */
export async function reading<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AccessError)) throw error;
    const { message, rule, place } = error.broken;
    throw new ImageError(`Cannot read ${path}: ${message} (${rule} at ${place.path})`);
  }
}

/**
 * Runs `work` for each image, even after one fails.
 *
 * @returns the exit status: the highest of all
 * @throws {UsageError} when there are no images
 */
export async function eachImage(
  paths: readonly string[],
  work: (path: string, index: number) => number | Promise<number>,
): Promise<number> {
  if (paths.length === 0) throw new UsageError("name an image (see --help)");
  let status = 0;
  for (const [index, path] of paths.entries()) {
    try {
      status = Math.max(status, await work(path, index));
    } catch (error) {
      status = Math.max(status, complainOf(error));
    }
  }
  return status;
}

/**
 * The image of a verb that has one.
 *
 * @throws {UsageError} when there is none, or more than one
 */
export function onlyImage({ positional }: Options): string {
  const [first, ...others] = positional;
  if (first === undefined || others.length > 0) {
    throw new UsageError("name one image (see --help)");
  }
  return first;
}

/**
 * Opens a file for its bytes, whatever they are.
 *
 * @throws {UsageError} when it cannot be read
 */
export function openFile(path: string): FileSource {
  mustNotBeStandardInput(path);
  try {
    return new FileSource(path);
  } catch (error) {
    throw new UsageError(`Cannot open ${path}: ${whyUnreadable(error)}`);
  }
}

/** The open files that the content of an image comes from. */
export function filesOf(image: OpenedImage): (FileSource | FileStore)[] {
  const files: (FileSource | FileStore)[] = [];
  for (const { source: own, header, layer } of imagesOf(image)) {
    for (const source of [own, header, layer?.dataFileSource]) {
      if (source instanceof FileSource || source instanceof FileStore) files.push(source);
    }
  }
  return files;
}
