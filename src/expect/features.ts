import type { FeatureTable } from "../format/mod.ts";
import { formats } from "../formats.ts";
import { imagesOf, layersOf, type OpenedImage } from "../image/mod.ts";

/** Features that are not visible in a header. */
const OTHERS = {
  "compressed": "compressed clusters",
  "detached-header": "a LUKS header in a file of its own",
} as const satisfies FeatureTable;

/** Every feature that an adapter can list, with its meaning. */
export const publishedFeatures: FeatureTable = Object.freeze(
  Object.assign({}, ...formats.map(({ features }) => features ?? {}), OTHERS) as FeatureTable,
);

/** Whether an implementation lists a feature; `*` stands for any text. */
export function isListedFeature(feature: string, listed: readonly string[]): boolean {
  return listed.some((pattern) => {
    const [start = "", ...parts] = pattern.split("*");
    if (parts.length === 0) return feature === pattern;
    return feature.startsWith(start) && feature.endsWith(parts.at(-1) ?? "");
  });
}

/**
 * Whether a feature that an adapter lists is one of the published ones. In a published name, a word in
 * capitals stands for any name; in a listed one, `*` stands for any text.
 */
export function isPublishedFeature(listed: string): boolean {
  const [start = "", ...rest] = listed.split("*");
  return Object.keys(publishedFeatures).some((name) => {
    if (rest.length > 0) return name.startsWith(start) || start.startsWith(fixedPart(name));
    const pattern = name.replaceAll(".", "\\.").replaceAll(/[A-Z]+(-[A-Z]+)*/g, "[a-z0-9-]+");
    return new RegExp(`^${pattern}$`).test(listed);
  });
}

/** What every name has in common for which a published name with words in capitals stands. */
function fixedPart(name: string): string {
  const fixed = name.replace(/[A-Z].*$/, "");
  return fixed === name ? `${name}*` : fixed;
}

/** Extents that are examined for a compressed cluster. */
const EXTENTS_MAX = 2 ** 16;

/** The features that reading an image and its backing chain requires, in order and without duplicates. */
export function featuresOf(image: OpenedImage): string[] {
  const found = headerFeaturesOf(image);
  if (hasCompressed(image)) found.add("compressed");
  return [...found];
}

/** Those that the headers show. No table is read. */
export function headerFeaturesOf(image: OpenedImage): Set<string> {
  const found = new Set<string>();
  for (const { definition, source, header } of imagesOf(image)) {
    for (const name of definition.featuresOf?.(header ?? source) ?? []) found.add(name);
  }
  if (image.header !== undefined) found.add("detached-header");
  return found;
}

function hasCompressed(image: OpenedImage): boolean {
  let left = EXTENTS_MAX;
  return layersOf(image).some((layer) => {
    for (const { kind } of layer.runs(0, layer.virtualSize)) {
      if (kind === "compressed") return true;
      if (left-- === 0) return false;
    }
    return false;
  });
}
