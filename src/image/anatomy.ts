import type { Anatomy, AnatomyOptions } from "../format/mod.ts";
import type { OpenedImage } from "./opened.ts";
import { driverNamed } from "./drivers.ts";

/**
 * What an image file is made of: its structures with their fields, and what claims which part of it. A
 * raw image is nothing but data. Total, and bounded by the options.
 */
export function anatomyOf(
  { format, source, header }: Pick<OpenedImage, "format" | "source" | "header">,
  options: AnatomyOptions,
): Anatomy {
  const anatomy = driverNamed(format)?.anatomy?.(header ?? source, options);
  if (anatomy !== undefined) return anatomy;
  const all = { path: "/data", offset: 0, length: source.size };
  return {
    parts: [],
    claims: [{ ...all, kind: "data", says: "guest 0x0" }],
    gaps: [],
    complete: true,
  };
}
