import { type ByteSource, FileSource } from "../bytes/mod.ts";
import type { InfoReport } from "../format/mod.ts";
import type { OpenedImage } from "./opened.ts";
import { isProtocol, resolveName } from "./names.ts";
import { openRefusal } from "./readable.ts";

/**
 * `info` of one image in qemu-img's shape, without the list of child nodes.
 *
 * @throws {TypeError} when the image does not open: {@link OpenedImage.findings} says why
 */
export function infoOf(image: OpenedImage): InfoReport {
  const { layer, source, path } = image;
  if (layer === undefined || openRefusal(image, "info") !== undefined) {
    throw new TypeError(`Cannot tell about ${path}: it does not open`);
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

/** What the files take, where all of them are files. */
function actualSizeOf(sources: readonly (ByteSource | undefined)[]): { "actual-size"?: number } {
  let size = 0;
  for (const source of sources) {
    if (source === undefined) continue;
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
