/** A kind of things that the corpus has images of. */
export interface Aspect {
  /** `rules`, `fields`. */
  readonly name: string;
  readonly items: readonly Item[];
}

/** A thing that the corpus has images of, or a reason why it has none. */
export interface Item {
  readonly name: string;
  /** The names of recorded images. */
  readonly images: readonly string[];
  readonly because?: string;
}

/** Whether there is neither an image nor a reason. */
export function isMissing({ images, because }: Item): boolean {
  return images.length === 0 && because === undefined;
}
