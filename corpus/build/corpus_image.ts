import type { FormatName } from "../../src/formats.ts";
import type { About, CaseEdit, CaseImage, Model } from "../cases/mod.ts";

/** An image of the corpus, built when it is needed. */
export interface CorpusImage extends About {
  readonly name: string;
  /** The rule that it is about, and what it does with it. */
  readonly rule?: string;
  readonly does?: "breaks" | "keeps";
  /** The rule and what the image does with it, or the family of images that it belongs to. */
  readonly features: readonly string[];
  readonly format: FormatName | undefined;
  /** What the image is an example of, in one sentence. */
  readonly shows: string;
  /** The change to a valid image, in words. */
  readonly changes: readonly string[];
  /** What it is built from; absent if it was added as it is. */
  readonly model?: Model;
  readonly edits?: readonly CaseEdit[];
  /** Commands of other tools that may crash. */
  readonly crashes?: readonly (readonly string[])[];
  build(): CaseImage;
}

/** What is said about an image besides its bytes, without what is absent. */
export function aboutOf({ aliases, flags, happened }: About): About {
  return {
    ...aliases === undefined ? {} : { aliases },
    ...flags === undefined ? {} : { flags },
    ...happened === undefined ? {} : { happened },
  };
}
