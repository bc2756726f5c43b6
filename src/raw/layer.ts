import { type ByteSource, holesOf, SECTOR } from "../bytes/mod.ts";
import type { Layer, LayerInfo, Run } from "../format/mod.ts";

/** A raw image: the file is the disk. */
export class RawLayer implements Layer {
  readonly format = "raw";
  readonly virtualSize: number;
  readonly clusterSize = SECTOR;
  readonly encrypted = false;
  readonly dirty = false;
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    this.#source = source;
    this.virtualSize = Math.ceil(source.size / SECTOR) * SECTOR;
  }

  /** Runs of data, and known holes of the file as `zero`. */
  *runs(from: number, to: number): Generator<Run> {
    let position = from;
    for (const hole of holesOf(this.#source, { from, to })) {
      if (hole.start > position) yield dataRun(position, hole.start);
      yield { start: hole.start, length: hole.length, kind: "zero", host: hole.start };
      position = hole.start + hole.length;
    }
    if (position < to) yield dataRun(position, to);
  }

  readRun(run: Run, skip: number, target: Uint8Array): void {
    this.#source.readInto(run.start + skip, target);
  }

  info(): LayerInfo {
    return { "dirty-flag": false };
  }

  judge(): void {
    // Any bytes are a raw image.
  }
}

function dataRun(start: number, end: number): Run {
  return { start, length: end - start, kind: "data", host: start };
}
