import * as fc from "fast-check";
import { type ByteSource, SegmentSource } from "../../../src/bytes/mod.ts";
import type { BuiltImage } from "../../../src/format/mod.ts";
import { formatNames, formatOf } from "../../../src/formats.ts";
import { normaliseQcow1, type Qcow1Model } from "../../../src/qcow1/mod.ts";
import { normaliseQcow2 } from "../../../src/qcow2/build/mod.ts";
import type { Qcow2Model } from "../../../src/qcow2/mod.ts";
import type { RawModel } from "../../../src/raw/mod.ts";
import { PASSPHRASES, patterns } from "../../generate/mod.ts";
import { requireDrawn } from "../repair.ts";
import { qcow1Models } from "../qcow1/models.ts";
import { asPart, nameIn, type Naming, namingOf, namings, paths } from "./names.ts";
import { type Qcow2ModelOptions, qcow2Models } from "../qcow2/models.ts";

/** An image of any format. */
export type ImageModel = RawModel | Qcow1Model | Qcow2Model;

/** A list of images, each the backing file of the one before it; the first is the top. */
export type ChainModel = readonly ImageModel[];

/** Bounds of generated chains. */
export interface ChainOptions extends Qcow2ModelOptions {
  /** Formats of the top image. */
  readonly formats?: readonly ("qcow" | "qcow2")[];
  /** Most images of a chain. */
  readonly lengthMax?: number;
  /**
   * Some backing files are named by `file:` and `json:`, and some formats of raw ones are drivers that
   * read them as raw; or any drivers, of which some open no file.
   */
  readonly names?: "sound" | "any";
  /** Disks of version 1 may have sectors beyond 2^32, at which qemu-img would look one by one. */
  readonly vast?: boolean;
}

const RAW_MAX = 64 * 1024;
const LENGTH_MAX = 8;
/** Most chains of several images have two or three. */
const USUAL_BELOW = 2;

/** Chains of images of any format; the last may be raw. Most have one image. */
export function chainModels(options: ChainOptions = {}): fc.Arbitrary<ChainModel> {
  const top = imageModels(options).filter((image) => image.format !== "raw");
  const most = Math.max(0, (options.lengthMax ?? LENGTH_MAX) - 1);
  const image = fc.tuple(
    belowModels(options),
    options.names === undefined ? paths() : namings({ any: options.names === "any" }),
  );
  const upTo = (maxLength: number): fc.Arbitrary<[ImageModel, Naming][]> =>
    fc.array(image, { minLength: Math.min(1, maxLength), maxLength });
  const below = fc.oneof(
    { withCrossShrink: true },
    { weight: 9, arbitrary: fc.constant<[ImageModel, Naming][]>([]) },
    { weight: 4, arbitrary: upTo(Math.min(USUAL_BELOW, most)) },
    { weight: 2, arbitrary: upTo(most) },
  );
  return fc.tuple(top, below).map(([image, rest]) => linked(image, rest));
}

/**
 * A chain after a part was dropped: each image names the next one, and the last one names none.
 *
 * @throws {TypeError} if one of the images cannot be generated
 */
export function relinked(chain: ChainModel): ChainModel {
  const images = chain.map(normalImage);
  const [top, ...below] = images;
  if (top === undefined || top.format === "raw") throw new TypeError("Cannot use the chain");
  return linked(
    top,
    below.map((image, index) => {
      const above = images[index];
      const recorded = above?.format === "qcow2" ? above.backing?.format : undefined;
      // The name of a format is that of the image that was here before.
      const isOther = recorded !== undefined && !formatNames.includes(recorded);
      return [image, {
        declared: recorded !== undefined,
        ...(isOther ? { driver: recorded } : {}),
        ...namingOf(backingName(above), image.format),
      }];
    }),
  );
}

/** All images that chains may have. */
const ANY = { encryption: "some", far: true, vast: true } as const;

function normalImage(image: ImageModel): ImageModel {
  const normal = formatOf(image.format).writer.normalise(image) as ImageModel;
  // Names of files depend on the place in the chain.
  if (normal.format === "qcow") requireDrawn(alone(normal), legacyModels(ANY));
  else if (normal.format === "raw") requireDrawn(normal, rawModels());
  else {
    const { dataFile, ...rest } = alone(normal) as Qcow2Model;
    const named = dataFile === undefined ? {} : { dataFile: { ...dataFile, name: "d" } };
    requireDrawn({ ...rest, ...named }, qcow2Models(ANY));
  }
  return normal;
}

/** Raw images. */
export function rawModels(): fc.Arbitrary<RawModel> {
  return fc.record({
    format: fc.constant("raw"),
    size: fc.nat({ max: RAW_MAX }),
    pattern: patterns(),
  });
}

function imageModels(options: ChainOptions): fc.Arbitrary<ImageModel> {
  const formats = options.formats ?? ["qcow2", "qcow"];
  return fc.oneof(
    ...(formats.includes("qcow2") ? [{ weight: 4, arbitrary: qcow2Models(options) }] : []),
    ...(formats.includes("qcow") ? [{ weight: 1, arbitrary: legacyModels(options) }] : []),
  );
}

/** Bits of the farthest offset. */
const FAR_BITS = 63;

/** Images of version 1; the options bound the encryption, the size and far holes. */
function legacyModels(
  { encryption = "none", passphrases = PASSPHRASES, vast = false, far = false }: ChainOptions,
): fc.Arbitrary<Qcow1Model> {
  return qcow1Models({ encryption, passphrases, vast, ...(far ? { far: FAR_BITS } : {}) });
}

function belowModels(options: ChainOptions): fc.Arbitrary<ImageModel> {
  return fc.oneof(
    { weight: 2, arbitrary: rawModels() },
    { weight: 2, arbitrary: qcow2Models(options) },
    { weight: 1, arbitrary: legacyModels(options) },
  );
}

/** Name of an image of a chain, counted from the top. */
export function fileName(chain: ChainModel, index: number): string {
  return `image-${index}.${chain[index]?.format ?? "raw"}`;
}

/**
 * Makes each image name the next one as its backing file. A name that does not fit in an image's
 * first cluster ends the chain there.
 */
function linked(top: ImageModel, rest: readonly [ImageModel, Naming][]): ChainModel {
  const images = [top, ...rest.map(([image]) => aligned(image))];
  const chain = images.map((image, index) => withOwnDataFile(image, index));
  for (let i = 0; i < chain.length; i++) {
    const image = chain[i] as ImageModel;
    const next = chain[i + 1];
    const named = next === undefined || image.format === "raw"
      ? alone(image)
      : naming(image, next.format, {
        ...(rest[i] as [ImageModel, Naming])[1],
        file: fileName(chain, i + 1),
        isLast: i + 2 === chain.length,
      });
    chain[i] = named;
    if (named.format === "raw" || named.backing === undefined) return chain.slice(0, i + 1);
  }
  return chain;
}

/**
 * QEMU's map of a qcow backing file goes wrong where a cluster is off a cluster boundary and the
 * question starts inside it: the position is put into the entry's bits (block/qcow.c,
 * qcow_co_block_status, `cluster_offset | index_in_cluster`). Such images are compared by themselves.
 */
function aligned(image: ImageModel): ImageModel {
  if (image.format !== "qcow") return image;
  return normaliseQcow1({ ...image, placement: { ...image.placement, clusterSkews: [] } });
}

/** Two images of a chain do not share a data file. */
function withOwnDataFile(image: ImageModel, index: number): ImageModel {
  if (image.format !== "qcow2" || image.dataFile === undefined || index === 0) return image;
  const name = `${index}-${image.dataFile.name.replace(/^\d+-/, "")}`;
  const dataFile = { ...image.dataFile, name };
  return normaliseQcow2({ ...image, dataFile });
}

/** The name of the backing file of an image, if it has one. */
function backingName(image: ImageModel | undefined): string {
  return image === undefined || image.format === "raw" ? "" : image.backing?.name ?? "";
}

/** The image without a backing file. */
function alone(image: ImageModel): ImageModel {
  if (image.format === "raw" || image.backing === undefined) return image;
  const { backing: _, ...rest } = image;
  return rest;
}

/** The image with a backing file. A name that has no room in it becomes a path. */
function naming(
  image: Qcow1Model | Qcow2Model,
  format: ImageModel["format"],
  { file, isLast, ...how }: Naming & { readonly file: string; readonly isLast: boolean },
): Qcow1Model | Qcow2Model {
  const usable = isLast || how.form === "file" ? how.form : "path";
  const isRecorded = how.declared && image.format === "qcow2";
  const form = usable === "overruled" && !isRecorded ? "json" : usable;
  const name = nameIn({ ...how, form }, file, format);
  const { driver = format } = format === "raw" && (form === "path" || form === "file") ? how : {};
  const named = image.format === "qcow"
    ? normaliseQcow1({ ...image, backing: { name } })
    : normaliseQcow2({ ...image, backing: how.declared ? { name, format: driver } : { name } });
  return named.backing?.name === name || form === "path"
    ? named
    : naming(image, format, { ...how, form: "path", file, isLast });
}

/**
 * The passphrases of the images of a chain, from the top down; none for images that are not encrypted.
 * Of several keys it is the last one, so that readers have to try the slots before it.
 */
export function passphrasesOf(chain: ChainModel): (string | undefined)[] {
  return chain.map((image) => formatOf(image.format).writer.passphrases?.(image).at(-1));
}

/** A file of a built chain. */
export interface BuiltFile {
  readonly name: string;
  readonly built: BuiltImage;
}

/** The files of a chain: its images from the top down, each followed by its data file. */
export function buildChain(chain: ChainModel): BuiltFile[] {
  return chain.flatMap((image, index) => {
    const name = fileName(chain, index);
    const { image: whole, dataFile } = formatOf(image.format).writer.build(image);
    const built = asPart(whole, backingName(chain[index - 1]));
    if (dataFile === undefined || image.format !== "qcow2" || image.dataFile === undefined) {
      return [{ name, built }];
    }
    return [{ name, built }, { name: image.dataFile.name, built: dataFile }];
  });
}

/** The files of a chain as sources, by name; the top image first. */
export function sourcesOf(files: readonly BuiltFile[]): Map<string, ByteSource> {
  return new Map(
    files.map(({ name, built }) => [name, new SegmentSource(built.segments, built.size)]),
  );
}
