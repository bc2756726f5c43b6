import { clamp } from "../bytes/mod.ts";

/** A hole that reaches far: the part of an image with a number and those after it are behind it. */
export interface FarHole {
  /** Number of the first part behind it. */
  readonly from: number;
  /** Byte offset of the first byte behind it. */
  readonly offset: number;
  /**
   * Of each kind of part that readers keep in memory, the first one behind the hole is a multiple of
   * 2^32 bytes behind the first one before it. The hole is between parts of one of these kinds.
   */
  readonly alike?: true;
}

/** Alike offsets are equal in their lower 32 bits. */
const ALIKE = 2 ** 32;

/** Finds the places of parts that are alike. */
export class AlikeParts<Kind extends string> {
  /** Number of the first part behind the hole; infinite if there is no hole. */
  readonly from: number;
  readonly #isAlike: boolean;
  /** The first offset before the hole of each kind that has none behind it yet. */
  readonly #offsets = new Map<Kind, number>();

  /**
   * @param kinds of the parts in their order; `undefined` for those that readers do not keep
   * @param favourites the kinds that the hole is between, if there are two parts of one
   */
  constructor(
    far: FarHole | undefined,
    kinds: readonly (Kind | undefined)[],
    favourites: readonly Kind[],
  ) {
    this.#isAlike = far?.alike === true;
    this.from = far === undefined ? Infinity : Math.min(far.from, kinds.length - 1);
    if (far === undefined || !this.#isAlike) return;
    for (const kind of favourites) {
      const [first, last] = [kinds.indexOf(kind), kinds.lastIndexOf(kind)];
      if (first === last) continue;
      this.from = clamp(far.from, first + 1, last);
      return;
    }
  }

  /** The first offset from `end` on for a part behind the hole; `undefined` if any offset will do. */
  next(kind: Kind | undefined, end: number): number | undefined {
    const like = kind === undefined ? undefined : this.#offsets.get(kind);
    if (kind === undefined || like === undefined) return undefined;
    this.#offsets.delete(kind);
    return like + Math.ceil(Math.max(0, end - like) / ALIKE) * ALIKE;
  }

  /** Records the offset of a part before the hole. */
  add(kind: Kind | undefined, offset: number): void {
    if (!this.#isAlike || kind === undefined || this.#offsets.has(kind)) return;
    this.#offsets.set(kind, offset);
  }
}
