import type { Anatomy, AnatomyOptions } from "../format/mod.ts";
import type { OpenedImage } from "./opened_image.ts";

/**
 * The structures of an image file with their fields, and the uses of each part of the file.
 * Total, and bounded by the options.
 */
export function anatomyOf(
  { definition, source, header }: Pick<OpenedImage, "definition" | "source" | "header">,
  options: AnatomyOptions,
): Anatomy {
  return definition.driver.anatomy(header ?? source, options);
}
