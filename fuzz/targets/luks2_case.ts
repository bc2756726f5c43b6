import type { Luks2Model } from "../../src/luks2/mod.ts";
import type { Target } from "../engine/target.ts";
import { excerptOfImage } from "./excerpt.ts";
import { describeLuks2Edit, type Luks2Edit } from "./luks2_edits.ts";
import { describeLuks2, luks2Files } from "./luks2_volume.ts";
import { caseFiles, KEY_WORDS, type KeyChoice } from "./volume_files.ts";

/** What is done to a volume of LUKS2, and what it is opened with then. */
export interface Luks2Variant {
  readonly edits: readonly Luks2Edit[];
  readonly key: KeyChoice;
}

/** A volume, and one variant of it. */
export interface Luks2Case extends Luks2Variant {
  readonly model: Luks2Model;
}

/** A variant in a line for each edit, and one for the key. */
export function describeVariant({ edits, key }: Luks2Variant): string {
  return [...edits.map(describeLuks2Edit), `opened with ${KEY_WORDS[key]}`].join("\n");
}

/** How a target shows a case that is a volume and one variant of it. */
export const shownLuks2: Pick<Target<Luks2Case>, "files" | "describe" | "excerpt"> = {
  files: ({ model, edits }) => caseFiles(luks2Files(model, edits)),
  describe: ({ model, ...variant }) => `${describeLuks2(model)}\n${describeVariant(variant)}`,
  excerpt: ({ model, edits }) => excerptOfImage(luks2Files(model, edits).header, "luks2"),
};
