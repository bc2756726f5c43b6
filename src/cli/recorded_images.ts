import { imagesIn, type StoredImage } from "../recorded/mod.ts";
import { didYouMean } from "./nearest.ts";
import { whyUnreadable } from "./reasons.ts";
import { UsageError } from "./verb.ts";

const RECORDED = ["golden/images", "corpus/images", "corpus/matrix"].map((set) => {
  return new URL(`../../${set}`, import.meta.url).pathname;
});

/** Which recorded images are meant. */
export interface ImageChoice {
  /** Directories of images and archives; those of this repository if empty. */
  readonly directories: readonly string[];
  /** A part of their names, or a pattern for the whole name with `*` and `?`. */
  readonly only?: string;
  /** Their exact names; of all if empty. */
  readonly names?: readonly string[];
}

/**
 * The recorded images that are meant, in order.
 *
 * @throws {UsageError} when there are none, or a name does not exist
 */
export function recordedImages({ directories, only = "", names = [] }: ImageChoice): StoredImage[] {
  const searched = directories.length > 0 ? directories : RECORDED;
  const all = searched.flatMap(allIn);
  for (const name of names) {
    if (all.some((image) => image.name === name)) continue;
    const meant = didYouMean(name, all.map((image) => image.name), "'", "'");
    throw new UsageError(`no recorded image '${name}'${meant}`);
  }
  const matches = matcher(only);
  const chosen = all.filter(({ name }) =>
    matches(name) && (names.length === 0 || names.includes(name))
  );
  if (chosen.length > 0) return chosen;
  const such = only === "" ? "" : ` with '${only}' in its name`;
  throw new UsageError(`Cannot validate: no recorded image${such} in ${searched.join(" or ")}`);
}

function allIn(directory: string): StoredImage[] {
  try {
    return imagesIn(directory);
  } catch (error) {
    if (error instanceof Error && error.name === "PeerError") throw error;
    throw new UsageError(`Cannot read golden images in ${directory}: ${whyUnreadable(error)}`);
  }
}

/** Names that contain a text, or that a pattern describes. */
function matcher(only: string): (name: string) => boolean {
  if (!/[*?]/.test(only)) return (name) => name.includes(only);
  const pattern = patternOf(only);
  return (name) => pattern.test(name);
}

/** A pattern for whole names, in which `*` is any text and `?` any letter. */
export function patternOf(text: string): RegExp {
  const source = text.replaceAll(/[^*?]+/g, (part) => RegExp.escape(part))
    .replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s");
}
