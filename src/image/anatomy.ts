import type { Anatomy, AnatomyOptions } from "../format/mod.ts";
import type { OpenedImage } from "./opened.ts";

/**
 * What an image file is made of: its structures with their fields, and what claims which part of it.
 * Total, and bounded by the options.
 */
export function anatomyOf(
  { definition, source, header }: Pick<OpenedImage, "definition" | "source" | "header">,
  options: AnatomyOptions,
): Anatomy {
  return definition.driver.anatomy(header ?? source, options);
}
