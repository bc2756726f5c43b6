import type { BuiltImage } from "./placed.ts";

/** The files that a model describes. */
export interface BuiltFiles {
  /** The image; of an image with a detached header, the file with the header. */
  readonly image: BuiltImage;
  /** The payload of a detached header. */
  readonly payload?: BuiltImage;
  /** The external data file. */
  readonly dataFile?: BuiltImage;
}

/** The active image, or a snapshot by its place in the model. */
export type View = "active" | number;

/** One guest cluster as one layer has it. */
export interface ClusterView {
  /** Its bytes, cut at the end of the disk; zeros where the layer does not say. */
  readonly bytes: Uint8Array;
  /**
   * Which of 32 equal parts of the (uncut) cluster this layer defines, bit x for part x. The others
   * come from the backing file, or are zeros.
   */
  readonly known: number;
}

/** What a guest sees of one layer. */
export interface GuestContent {
  /** Size of a cluster in bytes. */
  readonly clusterSize: number;
  /** Bytes that the guest sees, a multiple of 512. */
  readonly virtualSize: number;
  /** The clusters of which the layer says something, ascending; all others are unallocated. */
  readonly named: readonly number[];
  /** A guest cluster below the end of the disk. */
  at(index: number): ClusterView;
}

/**
 * Makes images from models: small plain values that say everything about an image, and are JSON but for
 * `bigint`s.
 */
export interface FormatWriter<Model> {
  /** The model, or the nearest one that can be built. */
  normalise(model: Model): Model;
  /**
   * The files that a model describes. Deterministic: the same bytes on every machine.
   *
   * @param model as `normalise` gives it
   */
  build(model: Model): BuiltFiles;
  /**
   * What a guest sees of the image alone, without a backing file. It follows from the model and not from
   * what is built.
   *
   * @param model as `normalise` gives it
   */
  content(model: Model, view?: View): GuestContent;
  /** Passphrases of which each one opens the content; none where it is not encrypted. */
  passphrases?(model: Model): readonly string[];
}

/** Parts of a cluster that `known` has a bit for. */
const PARTS = 32;
/** Every part of a cluster. */
export const WHOLE = -1;

/** The bytes of a cluster over what is below it; `below` is as long as the cluster's bytes. */
export function laidOver(view: ClusterView, below: Uint8Array, clusterSize: number): Uint8Array {
  const bytes = view.bytes.slice();
  const size = clusterSize / PARTS;
  for (let i = 0; i < PARTS; i++) {
    const from = Math.min(i * size, bytes.length);
    if ((view.known >>> i & 1) === 0) bytes.set(below.subarray(from, from + size), from);
  }
  return bytes;
}

/** The content of a disk that is one stretch of bytes, without clusters that are unallocated. */
export function wholeContent(bytes: Uint8Array): GuestContent {
  const size = bytes.length;
  return {
    clusterSize: Math.max(size, 1),
    virtualSize: size,
    named: size === 0 ? [] : [0],
    at: () => ({ bytes, known: WHOLE }),
  };
}
