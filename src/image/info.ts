import { type ByteSource, FileSource } from "../bytes/mod.ts";
import {
  eachTime,
  imageText,
  type InfoReport,
  type Json,
  type LazyInfo,
  nameBytes,
} from "../format/mod.ts";
import type { OpenedImage } from "./opened_image.ts";
import { isProtocol, resolveName } from "./file_names.ts";
import { openRefusal } from "./refusals.ts";

/**
 * `info` of one image in qemu-img's shape, without the list of child nodes. Like qemu-img's, it has
 * U+FFFD for what is not UTF-8.
 *
 * @throws {TypeError} when the image does not open: {@link OpenedImage.findings} says why
 */
export function infoOf(image: OpenedImage): InfoReport {
  const { snapshots, ...info } = unicodeInfoOf(image);
  const rest = info as InfoReport;
  return snapshots === undefined ? rest : { ...rest, snapshots: [...snapshots] };
}

/** The same, with the snapshots made one by one. */
export function unicodeInfoOf(image: OpenedImage): LazyInfo {
  const { snapshots, ...info } = exactInfoOf(image);
  const rest = inUnicode(info as InfoReport) as InfoReport;
  return snapshots === undefined ? rest : { ...rest, snapshots: mapped(snapshots, inUnicode) };
}

function mapped<T>(items: Iterable<T>, change: (item: T) => T): Iterable<T> {
  return eachTime(() => Iterator.from(items).map(change));
}

function inUnicode(value: Json): Json {
  // A text with NUL is Unicode already: a name ends at NUL.
  if (typeof value === "string") return value.includes("\0") ? value : imageText(nameBytes(value));
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(inUnicode);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, inUnicode(member)]));
}

/** The same, with names of files as `nameOf` gives them, and the snapshots made one by one. */
export function exactInfoOf(image: OpenedImage): LazyInfo {
  const { layer, source, path } = image;
  if (layer === undefined || openRefusal(image, "info") !== undefined) {
    throw new TypeError(`Cannot print info of ${path}: it does not open`);
  }
  const backing = layer.backing;
  return {
    "virtual-size": layer.virtualSize,
    filename: path,
    format: image.format,
    ...actualSizeOf([source, image.header]),
    ...clusterSizeOf(image.payload),
    ...layer.info(),
    ...(backing === undefined ? {} : {
      "backing-filename": backing.name,
      ...fullName(path, backing.name),
      ...(backing.format === undefined ? {} : { "backing-filename-format": backing.format }),
    }),
  };
}

/** What the files take, where all of them are files or devices, which take nothing. */
function actualSizeOf(sources: readonly (ByteSource | undefined)[]): { "actual-size"?: number } {
  let size = 0;
  for (const source of sources) {
    if (source === undefined) continue;
    if (source instanceof FileSource && source.isDevice) continue;
    if (!(source instanceof FileSource) || source.allocated === undefined) return {};
    size += source.allocated;
  }
  return { "actual-size": size };
}

/** QEMU's block_crypto_co_get_info hands on what the node below says. */
function clusterSizeOf(payload: OpenedImage | undefined): { "cluster-size"?: number } {
  const size = payload?.layer?.info()["cluster-size"];
  return size === undefined ? {} : { "cluster-size": size };
}

function fullName(image: string, name: string): { "full-backing-filename"?: string } {
  // A relative name means nothing next to an image that is itself no plain file name.
  if (isProtocol(image) && !isProtocol(name) && !name.startsWith("/")) return {};
  return { "full-backing-filename": resolveName(image, name) };
}
