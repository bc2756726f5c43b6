import type { FeatureTable } from "../format/mod.ts";
import { formats } from "../formats.ts";
import { layersOf, type OpenedImage } from "../image/mod.ts";

/** Features that are not visible in a header. */
const OTHERS = {
  "compressed": "compressed clusters",
  "detached-header": "a LUKS header in a file of its own",
} as const satisfies FeatureTable;

/** Every feature that an adapter can list, with its meaning. */
export const publishedFeatures: FeatureTable = Object.freeze(
  Object.assign({}, ...formats.map(({ features }) => features ?? {}), OTHERS) as FeatureTable,
);

/** Extents that are examined for a compressed cluster. */
const EXTENTS_MAX = 2 ** 16;

/** The features that reading an image and its backing chain requires, in order and without duplicates. */
export function featuresOf(image: OpenedImage): string[] {
  const found = new Set<string>();
  for (let at: OpenedImage | undefined = image; at !== undefined; at = at.backing) {
    const { definition, source, header } = at;
    for (const name of definition.featuresOf?.(header ?? source) ?? []) found.add(name);
  }
  if (image.header !== undefined) found.add("detached-header");
  if (hasCompressed(image)) found.add("compressed");
  return [...found];
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
