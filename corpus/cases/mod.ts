/**
 * The cases: for each rule an image that breaks it, and the nearest one that keeps it, as data.
 *
 * Invariants:
 *
 * - A case is a model and edits, and builds the same images on every machine. Nothing is built when
 *   this module is imported.
 * - A rule without a case is listed with the reason, and so is a case without images in `corpus/images`.
 * - The name of an image is the `id` of its case, or else its rule and a number from the second case on,
 *   and `breaks` or `keeps`.
 *
 * @module
 */

import { blockCases } from "./block/cases.ts";
import type { Case, SingleImage } from "./case.ts";
import { pairImages } from "./families/pairs.ts";
import { truncatedImages } from "./families/truncated.ts";
import { knownImages } from "./known/mod.ts";
import { luks1Cases, luks1Sound } from "./luks1/cases.ts";
import { luks2Cases, luks2Sound } from "./luks2/cases.ts";
import { qcow1Cases } from "./qcow1/cases.ts";
import { qcow2Encrypted } from "./qcow2/encryption.ts";
import { qcow2Cases } from "./qcow2/cases.ts";

export type { About, Case, Live, Model, Question, SingleImage } from "./case.ts";
export { brokenImage, type CaseImage, imageOf, keptImage } from "./build.ts";
export { type CaseEdit, describeCaseEdit } from "./edit.ts";
export { keptShowsOf, showsOf } from "./shows.ts";
export { type Values, valuesOf } from "./values.ts";
export { errata, type Erratum } from "./errata.ts";
export { truncationClasses } from "./families/truncated.ts";
export { imagesNotRecorded, rulesWithoutCase } from "./exceptions.ts";
export { blockCases, luks1Cases, luks2Cases, qcow1Cases, qcow2Cases };

/** The cases of all rules. */
export const cases: readonly Case[] = [
  ...blockCases,
  ...qcow1Cases,
  ...qcow2Cases,
  ...luks1Cases,
  ...luks2Cases,
];

/**
 * The images that belong to no pair: valid ones on which tools crash, with their nearest neighbours,
 * those of known defects, of combinations of features, and of files that end too early.
 */
export const singleImages: readonly SingleImage[] = [
  ...luks1Sound,
  ...luks2Sound,
  ...qcow2Encrypted,
  ...knownImages,
  ...pairImages,
  ...truncatedImages,
];

/** Each case with its name, which is the start of the names of its images. */
export function namedCases(): { readonly name: string; readonly of: Case }[] {
  const seen = new Map<string, number>();
  return cases.map((of) => {
    if (of.id !== undefined) return { name: of.id, of };
    const count = (seen.get(of.rule) ?? 0) + 1;
    seen.set(of.rule, count);
    return { name: count === 1 ? of.rule : `${of.rule}-${count}`, of };
  });
}
