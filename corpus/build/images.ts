/** The images of the corpus: those of the cases, as they are recorded. */

import {
  type About,
  brokenImage,
  type Case,
  describeCaseEdit,
  imageOf,
  keptImage,
  keptShowsOf,
  namedCases,
  showsOf,
  singleImages,
} from "../cases/mod.ts";
import { aboutOf, type CorpusImage } from "./corpus_image.ts";
import { addedImages } from "./added.ts";
import { withoutNoise } from "./noise.ts";

/** The directory of the recorded images. */
export const IMAGES = new URL("../images", import.meta.url).pathname;

/** Every image of the corpus: those of the cases, and those that were added as they are. */
export function corpusImages(): CorpusImage[] {
  return [...caseImages(), ...addedImages(IMAGES)];
}

/** Every image of every case. */
export function caseImages(): CorpusImage[] {
  const pairs = namedCases().flatMap(({ name, of }) => [
    imageIn(of, name, "breaks"),
    imageIn(of, name, "keeps"),
  ]);
  return [
    ...pairs,
    ...singleImages.map((single): CorpusImage => {
      const { name, rule, does = "keeps", shows, edits, as = single.base.format, crashes } = single;
      return {
        name,
        ...rule === undefined ? {} : { rule, does },
        features: rule === undefined ? [familyOf(name)] : [rule, does],
        shows,
        ...aboutOf(single),
        format: as,
        changes: rule === undefined ? edits.map(describeCaseEdit) : [shows],
        ...crashes === undefined ? {} : { crashes },
        model: single.base,
        edits,
        build: () => imageOf(single, edits),
      };
    }),
  ];
}

function imageIn(of: Case, name: string, does: "breaks" | "keeps"): CorpusImage {
  return {
    name: `${name}-${does}`,
    rule: of.rule,
    does,
    features: [of.rule, does],
    shows: does === "breaks" ? showsOf(of) : keptShowsOf(of),
    ...does === "breaks" ? aboutOf(of) : {},
    ...aliasesOf(of, does),
    format: of.probed ? undefined : of.base.format,
    changes: of[does].map(describeCaseEdit),
    model: (does === "keeps" ? of.kept?.base : undefined) ?? of.base,
    edits: of[does],
    build: () => withoutNoise(does === "breaks" ? brokenImage(of) : keptImage(of)),
  };
}

/** The start of the name of an image that is about no rule: `known`. */
function familyOf(name: string): string {
  return name.slice(0, name.indexOf("."));
}

function aliasesOf({ aliases }: About, does: string): About {
  return aliases === undefined ? {} : { aliases: aliases.map((name) => `${name}-${does}`) };
}
