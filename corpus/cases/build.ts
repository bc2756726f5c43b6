/** Builds the images of a case. */

import { sealsOf } from "../../fuzz/formats/mod.ts";
import { type ByteSource, SECTOR, SegmentSource } from "../../src/bytes/mod.ts";
import type { BuiltImage } from "../../src/format/mod.ts";
import { type FormatName, formatOf } from "../../src/formats.ts";
import { applyCaseEdits, type Target } from "./apply.ts";
import type { Case, Model, SingleImage, Start } from "./case.ts";
import type { CaseEdit } from "./edit.ts";

/** An image, the files beside it, and how it is opened. */
export interface CaseImage {
  /** The file that is opened: the payload if the LUKS header is in a separate file. */
  readonly image: ByteSource;
  /** The number of its bytes that are written; the rest is a hole. */
  readonly stored: number;
  readonly files: { readonly [name: string]: ByteSource };
  /** The file with the detached LUKS header. */
  readonly header?: string;
  /** Probed if absent. */
  readonly format?: FormatName;
  readonly passphrases: readonly string[];
  /** The limit on the work of opening, as an option of the caller. */
  readonly budget?: number;
}

/** The name of a detached header beside the image. */
const HEADER = "header";

/** The image that breaks the rule of a case. */
export function brokenImage(of: Case): CaseImage {
  return imageOf(of, of.breaks);
}

/** The image that keeps it. */
export function keptImage(of: Case): CaseImage {
  return imageOf({ ...of, ...of.kept }, of.keeps);
}

/** The image of a model after edits. */
export function imageOf(
  start: Start & Pick<Case, "files" | "probed"> & Pick<SingleImage, "as">,
  edits: readonly CaseEdit[],
): CaseImage {
  const { base, probed, budget } = start;
  const { payload, dataFile, ...target } = built(base);
  const source = applyCaseEdits(target, edits);
  const isSparse = edits.some(({ op }) => op === "lengthen");
  const detached = payload === undefined ? {} : { [HEADER]: source };
  const image = payload ?? source;
  return {
    image,
    stored: isSparse ? target.image.size : image.size,
    files: { ...detached, ...dataFileOf(base, dataFile), ...filesOf(start.files) },
    ...payload === undefined ? {} : { header: HEADER },
    ...probed ? {} : { format: start.as ?? base.format },
    passphrases: start.passphrases ?? passphrasesOf(base),
    ...budget === undefined ? {} : { budget },
  };
}

function passphrasesOf(model: Model): readonly string[] {
  return formatOf(model.format).writer.passphrases?.(model).slice(0, 1) ?? [];
}

function filesOf(files: Case["files"] = {}): { [name: string]: ByteSource } {
  return Object.fromEntries(
    Object.entries(files).map(([name, model]) => [name, sourceOf(built(model).image)]),
  );
}

function sourceOf({ segments, size }: Pick<BuiltImage, "segments" | "size">): ByteSource {
  return new SegmentSource(segments, size);
}

/** A built image, and what belongs to it. */
export interface Built extends Target {
  /** The payload if the built image is a detached header. */
  readonly payload?: ByteSource;
  readonly dataFile?: ByteSource;
}

/** Models are cached: many cases start from the same one, and key derivation is slow. */
const cache = new WeakMap<Model, Built>();

/** A model as an image, built once. */
export function built(model: Model): Built {
  const before = cache.get(model);
  if (before !== undefined) return before;
  const now = build(model);
  cache.set(model, now);
  return now;
}

function build(model: Model): Built {
  const { image, payload, dataFile } = formatOf(model.format).writer.build(model);
  return {
    image: model.format === "luks2" ? { ...image, seals: sealsOf(model) } : image,
    clusterSize: "clusterBits" in model ? 2 ** model.clusterBits : SECTOR,
    ...payload === undefined ? {} : { payload: sourceOf(payload) },
    ...dataFile === undefined ? {} : { dataFile: sourceOf(dataFile) },
  };
}

/** The external data file, under the name that the image has for it. */
function dataFileOf(model: Model, source: ByteSource | undefined): CaseImage["files"] {
  const name = "dataFile" in model ? model.dataFile?.name : undefined;
  return name === undefined || source === undefined ? {} : { [name]: source };
}
