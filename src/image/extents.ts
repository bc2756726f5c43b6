import { AccessError, type Broken, type Layer, type Run } from "../format/mod.ts";

/** A run of guest bytes as the whole chain makes it. */
export interface Extent {
  readonly start: number;
  readonly length: number;
  /** How many backing files down it was decided. */
  readonly depth: number;
  readonly layer: Layer;
  /** The run of that layer that the extent is part of. */
  readonly run: Run;
  /** Reads as zeros. */
  readonly zero: boolean;
  /** A layer says something about it: no layer was passed over to the very end. */
  readonly present: boolean;
  readonly broken?: Broken;
}

/**
 * What `[from, to)` of a chain is made of, in order and without gaps. A part that a layer says nothing
 * about is looked up in the next one; behind the end of a backing file, and where no layer says
 * anything, it is zeros.
 *
 * @param layers from the top down; at least one
 */
export function* extentsOf(
  layers: readonly Layer[],
  from: number,
  to: number,
): Generator<Extent> {
  yield* extentsAt({ layers, depth: 0 }, from, to);
}

interface At {
  readonly layers: readonly Layer[];
  readonly depth: number;
}

function* extentsAt({ layers, depth }: At, from: number, to: number): Generator<Extent> {
  const layer = layers[depth] as Layer;
  const below = layers[depth + 1];
  for (const run of layer.runs(from, to)) {
    const { start, length } = run;
    const at = { depth, layer, run };
    if (run.broken !== undefined) {
      yield { ...at, start, length, zero: false, present: false, broken: run.broken };
    } else if (run.kind !== "unallocated") {
      yield { ...at, start, length, zero: run.kind === "zero", present: true };
    } else {
      const end = start + length;
      const split = Math.max(start, Math.min(end, below?.virtualSize ?? 0));
      if (split > start) yield* extentsAt({ layers, depth: depth + 1 }, start, split);
      if (end > split) {
        yield { ...at, start: split, length: end - split, zero: true, present: false };
      }
    }
  }
}

/** Reads bytes of an extent; `skip` bytes into it. */
export function readExtent(extent: Extent, skip: number, target: Uint8Array): void {
  if (extent.broken !== undefined) throw new AccessError(extent.broken);
  if (extent.zero) target.fill(0);
  else extent.layer.readRun(extent.run, extent.start + skip - extent.run.start, target);
}
