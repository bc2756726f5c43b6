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

/** A guest cluster in one layer. */
export interface ClusterView {
  /** Its bytes, cut at the end of the disk; zeros where the layer does not define them. */
  readonly bytes: Uint8Array;
  /**
   * The parts that this layer defines: bit x for part x of 32 equal parts of the uncut cluster. The
   * others come from the backing file or are zeros.
   */
  readonly known: number;
}

/** The guest content of one layer. */
export interface GuestContent {
  /** Size of a cluster in bytes. */
  readonly clusterSize: number;
  /** Length of the guest's disk in bytes, a multiple of 512. */
  readonly virtualSize: number;
  /** The clusters that the layer defines, ascending; all others are unallocated. */
  readonly named: readonly number[];
  /** A guest cluster below the end of the disk. */
  at(index: number): ClusterView;
}

/**
 * Builds images from models: small plain values that describe an image completely, and that are JSON
 * except for `bigint`s.
 */
export interface FormatWriter<Model> {
  /** The model, or the nearest one that can be built. */
  normalise(model: Model): Model;
  /**
   * The files that a model describes. Deterministic: the same bytes on every machine.
   *
   * @param model as returned by `normalise`
   */
  build(model: Model): BuiltFiles;
  /**
   * The guest content of the image without its backing file. It is computed from the model and not from
   * the built image.
   *
   * @param model as returned by `normalise`
   */
  content(model: Model, view?: View): GuestContent;
  /** Passphrases that each open the content; empty if it is not encrypted. */
  passphrases?(model: Model): readonly string[];
}

/** Number of parts of a cluster in `known`. */
const PARTS = 32;
/** Every part of a cluster. */
export const WHOLE = -1;

/** The bytes of a cluster on top of those below it; both have the same length. */
export function laidOver(view: ClusterView, below: Uint8Array, clusterSize: number): Uint8Array {
  const bytes = view.bytes.slice();
  const size = clusterSize / PARTS;
  for (let i = 0; i < PARTS; i++) {
    const from = Math.min(i * size, bytes.length);
    if ((view.known >>> i & 1) === 0) bytes.set(below.subarray(from, from + size), from);
  }
  return bytes;
}

/** The content of a disk without unallocated clusters. */
export function wholeContent(bytes: Uint8Array): GuestContent {
  const size = bytes.length;
  return {
    clusterSize: Math.max(size, 1),
    virtualSize: size,
    named: size === 0 ? [] : [0],
    at: () => ({ bytes, known: WHOLE }),
  };
}
