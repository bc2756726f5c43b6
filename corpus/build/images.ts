/** The images of the corpus: those of the cases, as they are recorded. */

import {
  brokenImage,
  type Case,
  type CaseImage,
  describeCaseEdit,
  imageOf,
  keptImage,
  namedCases,
  soundImages,
} from "../cases/mod.ts";
import type { FormatName } from "../../src/formats.ts";
import { withoutNoise } from "./noise.ts";

/** An image of the corpus, built when it is needed. */
export interface CorpusImage {
  readonly name: string;
  readonly rule: string;
  readonly does: "breaks" | "keeps";
  readonly format: FormatName | undefined;
  /** The change to a valid image, in words. */
  readonly changes: readonly string[];
  /** Commands of other tools that may crash. */
  readonly crashes?: readonly (readonly string[])[];
  build(): CaseImage;
}

/** Every image of every case. */
export function corpusImages(): CorpusImage[] {
  const pairs = namedCases().flatMap(({ name, of }) => [
    imageIn(of, name, "breaks"),
    imageIn(of, name, "keeps"),
  ]);
  return [
    ...pairs,
    ...soundImages.map(({ name, rule, shows, keeps, crashes, ...start }): CorpusImage => ({
      name,
      rule,
      does: "keeps",
      format: start.base.format,
      changes: [shows],
      ...crashes === undefined ? {} : { crashes },
      build: () => imageOf(start, keeps),
    })),
  ];
}

function imageIn(of: Case, name: string, does: "breaks" | "keeps"): CorpusImage {
  return {
    name: `${name}-${does}`,
    rule: of.rule,
    does,
    format: of.probed ? undefined : of.base.format,
    changes: of[does].map(describeCaseEdit),
    build: () => withoutNoise(does === "breaks" ? brokenImage(of) : keptImage(of)),
  };
}
