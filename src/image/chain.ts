import { type ByteSource, FileSource, SegmentSource } from "../bytes/mod.ts";
import type { DriverOptions, Format, Layer, WorkBudget } from "../format/mod.ts";
import { formatOf, formats } from "../formats.ts";
import { ITERATIONS_BUDGET } from "../luks1/mod.ts";
import { rawFormat } from "../raw/mod.ts";
import { Findings } from "../rules/mod.ts";
import { GuestSource } from "./guest_source.ts";
import { headerSource } from "./header_file.ts";
import {
  backingFile,
  ChainJudge,
  type ImageFile,
  type Link,
  openDataFile,
  Seen,
} from "./chain_links.ts";
import type { OpenedImage, OpenOptions, ReadOptions } from "./opened_image.ts";
import { FilePolicy, GivenFiles, type NamedFiles, NO_FILES } from "./named_files.ts";
import { detect, probe } from "./probe.ts";

/**
 * Opens an image and its backing chain. Total: whatever is wrong becomes a finding.
 *
 * @throws {Error} when the image file itself cannot be read
 */
export function openImage(path: string, options: OpenOptions = {}): OpenedImage {
  const named = nameImage(path, options, (place) => new FileSource(place, { devices: true }));
  const { file, around, header } = named;
  return header === undefined
    ? openChain(file, around)
    : openDetached(file, headerSource(header), around);
}

/** An image file that a person names. */
export interface NamedImage<S extends ByteSource> {
  readonly file: ImageFile & { readonly source: S };
  readonly around: Around;
  /** The file with its detached header. */
  readonly header?: string;
}

/** The file of an image, its format, and what is opened with it. */
export function nameImage<S extends ByteSource>(
  path: string,
  options: OpenOptions,
  open: (place: string) => S,
): NamedImage<S> {
  const { directory } = options;
  const inDirectory = (name: string): string =>
    directory === undefined || name.startsWith("/") ? name : `${directory}/${name}`;
  const place = inDirectory(path);
  const source = open(place);
  const named = options.format === undefined
    ? undefined
    : formatOf(options.format, options.formats);
  // With a detached header, the format that is named is that of the header; the payload is probed.
  const known = options.header !== undefined && named?.driver.detaches === true ? undefined : named;
  const probed = options.detect ? detect : probe;
  const format = known ?? probed(source, { formats: options.formats, name: path });
  const policy = options.alone
    ? undefined
    : options.follow === false
    ? NO_FILES
    : new FilePolicy(place, options.root);
  return {
    file: { path, place, source, format },
    around: { policy, options: shared(options) },
    ...(options.header === undefined ? {} : { header: inDirectory(options.header) }),
  };
}

/** Opens bytes as an image by itself: no file that they name is opened. */
export function openBytes(
  source: ByteSource,
  format?: Format | string,
  options: ReadOptions = {},
): OpenedImage {
  const around = { policy: undefined, options: shared(options) };
  const file = { path: "", place: "/", source };
  return openChain({ ...file, format: formatFor(file, format, options) }, around);
}

/**
 * Opens the payload of a detached LUKS header, which is an image or all of a file.
 *
 * @param header is closed with the image
 */
export function openDetachedBytes(
  payload: ByteSource,
  header: ByteSource,
  options: ReadOptions = {},
): OpenedImage {
  const format = probe(payload, options);
  const file = { path: "", place: "/", source: payload, format };
  return openDetached(file, header, { policy: undefined, options: shared(options) });
}

/**
 * Opens an image that is not in a file system, with the files that it refers to.
 *
 * @param files by name; the image itself is the first one
 */
export function openFiles(
  files: ReadonlyMap<string, ByteSource>,
  format?: Format | string,
  options: ReadOptions = {},
): OpenedImage {
  const [first] = files;
  if (first === undefined) throw new TypeError("Cannot open an image: there are no files");
  const [path, source] = first;
  const around = { policy: new GivenFiles(files), options: shared(options) };
  const file = { path, place: `/${path}`, source };
  return openChain({ ...file, format: formatFor(file, format, options) }, around);
}

/** The format of a file: as it is named, or else probed. */
export function formatFor(
  { source, path: name }: Pick<ImageFile, "source" | "path">,
  format: Format | string | undefined,
  { formats: among }: ReadOptions,
): Format {
  return format === undefined ? probe(source, { formats: among, name }) : formatOf(format, among);
}

/** What all images of an opening share. */
export interface SharedOptions extends ReadOptions {
  readonly budget: WorkBudget;
}

/** The options with the work that all images of an opening may take. */
export function shared(options: ReadOptions): SharedOptions {
  return { ...options, budget: { left: options.iterationsMax ?? ITERATIONS_BUDGET } };
}

/** Images below one that stays locked are of no use, and trying the passphrases on them is expensive. */
function optionsBelow(options: SharedOptions, layer: Layer | undefined): SharedOptions {
  const locked = layer?.encrypted === true && layer.unlocked === false;
  if (!locked) return options;
  const { budget, formats: among = formats } = options;
  return { budget, formats: among };
}

/** What is opened with an image. */
export interface Around {
  /** Absent where no other file may be opened. */
  readonly policy: NamedFiles | undefined;
  readonly options: SharedOptions;
}

/** Opens an image with what is below it. */
function openChain(top: ImageFile, around: Around): OpenedImage {
  const { policy, options } = around;
  const link = openLink(top, { ...around, depth: 0 });
  const below = optionsBelow(options, link.layer);
  return chainOf(linksFrom(link, { policy, options: below }), options);
}

/** The images of a chain from the top down. */
export interface Links {
  readonly links: readonly Link[];
  /** The backing file of the last one was not opened. */
  readonly lacks: boolean;
}

/** Opens the images below one, in a loop and not by recursion: a chain may be long. */
export function linksFrom(top: Link, { policy, options }: Around): Links {
  const links = [top];
  const seen = new Seen();
  for (let [own, above] = [options, top];;) {
    seen.add(above.file);
    const depth = links.length;
    const next = backingFile(above, { policy, formats: own.formats, seen, depth });
    if (typeof next === "string") return { links, lacks: next === "missing" };
    above = openLink(next, { policy, options: own, depth });
    links.push(above);
    own = optionsBelow(own, above.layer);
  }
}

/** Where an image of a chain is. */
export interface LinkOptions extends Around {
  /** How many images are above it. */
  readonly depth: number;
}

/** Opens an image of a chain. */
export function openLink(file: ImageFile, { policy, options, depth }: LinkOptions): Link {
  const findings = new Findings();
  const layer = file.format.driver.open(file.source, findings, driverOptions(options, depth));
  const dataFile = layer === undefined
    ? "none"
    : openDataFile(file.place, { layer, findings, policy });
  return { file, findings, layer, dataFile };
}

/**
 * What the driver of an image is told. The legacy encryption cannot tell whether a passphrase is right:
 * the one with the image's place in the chain comes first, the last one where there are fewer.
 */
export function driverOptions(
  options: SharedOptions,
  depth: number,
): Omit<DriverOptions, "payload"> {
  const { passphrases = [], iterationsMax, dialect, budget, keptKeys } = options;
  const own = Math.min(depth, passphrases.length - 1);
  const others = passphrases.filter((_, index) => index !== own);
  return {
    ...(passphrases.length === 0
      ? {}
      : { passphrases: [passphrases[own] as Uint8Array, ...others] }),
    ...(iterationsMax === undefined ? {} : { iterationsMax }),
    ...(budget === undefined ? {} : { budget }),
    ...(keptKeys === undefined ? {} : { keptKeys }),
    ...(dialect === undefined ? {} : { dialect }),
  };
}

/** Puts the images of a chain together, from the bottom up. */
export function chainOf({ links, lacks }: Links, { dialect }: ReadOptions): OpenedImage {
  const judge = new ChainJudge();
  let below: OpenedImage | undefined;
  for (const [above, link] of [...links.entries()].toReversed()) {
    const { file: { path, source, format }, findings, layer, dataFile } = link;
    judge.judge(link);
    below = {
      ...{ path, format: format.name, definition: format, source, findings },
      ...(dialect === undefined ? {} : { dialect }),
      ...(layer === undefined ? {} : { layer }),
      ...(below === undefined ? {} : { backing: below }),
      incomplete: dataFile === "missing" || (below?.incomplete ?? lacks),
      close: () => links.slice(above).forEach(close),
    };
  }
  return below as OpenedImage;
}

function close({ file, dataFile }: Link): void {
  file.source.close?.();
  if (typeof dataFile !== "string") dataFile.close?.();
}

/** In place of content that is not known, so that nothing that is judged by its length is wrong. */
const UNKNOWN_CONTENT = new SegmentSource([], 2 ** 52);

/** Opens the payload `file` of a detached LUKS header. */
function openDetached(file: ImageFile, header: ByteSource, around: Around): OpenedImage {
  const isImage = file.format !== rawFormat && file.format.driver.detaches !== true;
  const payload = isImage ? openChain(file, around) : undefined;
  const findings = new Findings();
  const refusal = payload?.findings.refusal("read") ?? payload?.findings.unknown();
  if (refusal !== undefined) findings.add(refusal.rule, { path: "/payload" }, refusal.message);
  const content = payload === undefined
    ? file.source
    : refusal?.effect === "unknown"
    ? UNKNOWN_CONTENT
    : new GuestSource(layersOf(payload));
  const options = { ...driverOptions(around.options, 0), payload: content };
  const format = detachedFormat(header, around.options);
  const layer = format.driver.open(header, findings, options);
  return {
    path: file.path,
    format: format.name,
    definition: format,
    source: file.source,
    header,
    ...(payload === undefined ? {} : { payload }),
    findings,
    ...(layer === undefined || refusal !== undefined ? {} : { layer }),
    incomplete: payload?.incomplete ?? false,
    close(): void {
      header.close?.();
      (payload ?? file.source).close?.();
    },
  };
}

/** The format of a detached header: the first one that has them, where its bytes do not say. */
export function detachedFormat(
  header: ByteSource,
  { formats: among = formats }: ReadOptions,
): Format {
  const found = detect(header, { formats: among });
  if (found.driver.detaches === true) return found;
  return among.find(({ driver }) => driver.detaches === true) ?? found;
}

/** The images of a chain from the top down. */
export function* imagesOf(top: OpenedImage): Generator<OpenedImage> {
  for (let at: OpenedImage | undefined = top; at !== undefined; at = at.backing) yield at;
}

/** The layers from the top down. */
export function layersOf(image: OpenedImage): Layer[];
/**
 * The layers with a snapshot of the top image in its place; `undefined` where it has none of that id or
 * name.
 */
export function layersOf(image: OpenedImage, snapshot: string | undefined): Layer[] | undefined;
export function layersOf(image: OpenedImage, snapshot?: string): Layer[] | undefined {
  const layers: Layer[] = [];
  for (const { layer } of imagesOf(image)) {
    if (layer !== undefined) layers.push(layer);
  }
  if (snapshot === undefined) return layers;
  const top = layers[0]?.snapshot?.(snapshot);
  return top === undefined ? undefined : [top, ...layers.slice(1)];
}
