/** The images of the corpus: those of the cases, as they are recorded. */

import {
  type About,
  brokenImage,
  type Case,
  type CaseImage,
  describeCaseEdit,
  imageOf,
  keptImage,
  keptShowsOf,
  namedCases,
  showsOf,
  soundImages,
} from "../cases/mod.ts";
import type { FormatName } from "../../src/formats.ts";
import { withoutNoise } from "./noise.ts";

/** An image of the corpus, built when it is needed. */
export interface CorpusImage extends About {
  readonly name: string;
  readonly rule: string;
  readonly does: "breaks" | "keeps";
  readonly format: FormatName | undefined;
  /** What the image is an example of, in one sentence. */
  readonly shows: string;
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
      shows,
      ...aboutOf(start),
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
    shows: does === "breaks" ? showsOf(of) : keptShowsOf(of),
    ...does === "breaks" ? aboutOf(of) : {},
    ...aliasesOf(of, does),
    format: of.probed ? undefined : of.base.format,
    changes: of[does].map(describeCaseEdit),
    build: () => withoutNoise(does === "breaks" ? brokenImage(of) : keptImage(of)),
  };
}

function aboutOf({ aliases, flags, happened }: About): About {
  return {
    ...aliases === undefined ? {} : { aliases },
    ...flags === undefined ? {} : { flags },
    ...happened === undefined ? {} : { happened },
  };
}

function aliasesOf({ aliases }: About, does: string): About {
  return aliases === undefined ? {} : { aliases: aliases.map((name) => `${name}-${does}`) };
}
