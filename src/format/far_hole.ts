import { clamp } from "../bytes/mod.ts";

/** A hole that reaches far: the part of an image with a number and those after it are behind it. */
export interface FarHole {
  /** Number of the first part behind it. */
  readonly from: number;
  /** Byte offset of the first byte behind it. */
  readonly offset: number;
  /**
   * Of each kind of part that readers keep in memory, the first one behind the hole is a multiple of
   * 2^32 bytes behind the first one before it, whatever its alignment and the gap before it. The hole is
   * between parts of one of these kinds.
   */
  readonly alike?: true;
}

/** The largest number of a first part. */
const FROM_MAX = 4096;

/** A hole at an offset that fits, with a number in its range. */
export function soundHole({ from, alike }: FarHole, offset: number): FarHole {
  return { from: clamp(from, 0, FROM_MAX), offset, ...(alike === true ? { alike } : {}) };
}

/** Alike offsets are equal in their lower 32 bits. */
const ALIKE = 2 ** 32;

/**
 * Finds places for the parts behind a hole. Two alike parts of a kind have equal offsets for a reader
 * that keeps parts by the lower 32 bits of their offsets.
 */
export class AlikeParts<Kind extends string> {
  /** Number of the first part behind the hole; infinite if there is no hole. */
  readonly from: number;
  readonly #isAlike: boolean;
  /** The first offset before the hole of each kind that has none behind it yet. */
  readonly #offsets = new Map<Kind | undefined, number>();

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
    const between = favourites.find((kind) => kinds.indexOf(kind) < kinds.lastIndexOf(kind));
    if (between === undefined) return;
    this.from = clamp(far.from, kinds.indexOf(between) + 1, kinds.lastIndexOf(between));
  }

  /** The first offset from `end` on for a part behind the hole; `undefined` if any offset will do. */
  next(kind: Kind | undefined, end: number): number | undefined {
    const like = this.#offsets.get(kind);
    if (like === undefined) return undefined;
    this.#offsets.delete(kind);
    return like + Math.ceil(Math.max(0, end - like) / ALIKE) * ALIKE;
  }

  /** Records the offset of a part before the hole. */
  add(kind: Kind | undefined, offset: number): void {
    if (!this.#isAlike || kind === undefined || this.#offsets.has(kind)) return;
    this.#offsets.set(kind, offset);
  }
}
