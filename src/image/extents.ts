import { AccessError, type Broken, type Layer, type Run } from "../format/mod.ts";

/** A run of guest bytes as the whole chain makes it. */
export interface Extent {
  /** First byte on the virtual disk. */
  readonly start: number;
  /** Length in bytes. */
  readonly length: number;
  /** How many backing files down it was decided. */
  readonly depth: number;
  /** The layer that the bytes come from. */
  readonly layer: Layer;
  /** The run of that layer that the extent is part of. */
  readonly run: Run;
  /** Reads as zeros. */
  readonly zero: boolean;
  /** A layer says something about it. */
  readonly present: boolean;
  /** Why it cannot be read. */
  readonly broken?: Broken;
}

/**
 * What `[from, to)` of a chain is made of, in order and without gaps. A part that a layer says nothing
 * about is looked up in the next one. Behind the end of a backing file, and where no layer says
 * anything, there are zeros.
 *
 * @param layers from the top down; at least one
 */
export function* extentsOf(
  layers: readonly Layer[],
  from: number,
  to: number,
): Generator<Extent> {
  // A stack and not recursion: generators inside each other cost as much for each extent as there are.
  const stack = [new Level(layers, 0, { from, to })];
  for (let level = stack.at(-1); level !== undefined; level = stack.at(-1)) {
    const next = level.next();
    if (next === undefined) stack.pop();
    else if (next instanceof Level) stack.push(next);
    else yield next;
  }
}

/** The runs of one layer, on the way down through a chain. */
class Level {
  readonly #layers: readonly Layer[];
  readonly #depth: number;
  readonly #layer: Layer;
  readonly #runs: Iterator<Run>;
  /** The rest past the end of the layer below, after that one is done. */
  #behind: Extent | undefined;

  constructor(layers: readonly Layer[], depth: number, { from, to }: { from: number; to: number }) {
    this.#layers = layers;
    this.#depth = depth;
    this.#layer = layers[depth] as Layer;
    this.#runs = this.#layer.runs(from, to)[Symbol.iterator]();
  }

  /** The next extent, or the layer below for a part that this one says nothing about. */
  next(): Extent | Level | undefined {
    const behind = this.#behind;
    this.#behind = undefined;
    if (behind !== undefined) return behind;
    const { done, value: run } = this.#runs.next();
    return done === true ? undefined : this.#resolve(run);
  }

  #resolve(run: Run): Extent | Level | undefined {
    const { start, length } = run;
    const at = { depth: this.#depth, layer: this.#layer, run };
    if (run.broken !== undefined) {
      return { ...at, start, length, zero: false, present: false, broken: run.broken };
    }
    if (run.kind !== "unallocated") {
      return { ...at, start, length, zero: run.kind === "zero", present: true };
    }
    const end = start + length;
    const below = this.#layers[this.#depth + 1]?.virtualSize ?? 0;
    const split = Math.max(start, Math.min(end, below));
    if (end > split) {
      this.#behind = { ...at, start: split, length: end - split, zero: true, present: false };
    }
    if (split > start) return new Level(this.#layers, this.#depth + 1, { from: start, to: split });
    return this.next();
  }
}

/** Reads bytes of an extent; `skip` bytes into it. */
export function readExtent(extent: Extent, skip: number, target: Uint8Array): void {
  if (extent.broken !== undefined) throw new AccessError(extent.broken);
  if (extent.zero) target.fill(0);
  else extent.layer.readRun(extent.run, extent.start + skip - extent.run.start, target);
}
