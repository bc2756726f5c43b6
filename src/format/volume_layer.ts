import {
  AccessError,
  type Broken,
  type Json,
  type Layer,
  type LayerInfo,
  type Run,
} from "./layer.ts";

/** Fills `target` with content from a byte on. */
export interface ContentAccess {
  read(from: number, target: Uint8Array): void;
}

/** The parts of a {@link VolumeLayer}. */
export interface VolumeLayerOptions {
  readonly format: string;
  /** Bytes that a guest sees. */
  readonly virtualSize: number;
  /** Bytes in the largest sector that is encrypted as one. */
  readonly clusterSize: number;
  /** Reads and decrypts the content; or why it cannot be read. */
  readonly access: ContentAccess | Broken;
  /** The format-specific part of `info`. */
  readonly info: () => { readonly [key: string]: Json };
}

/**
 * A volume as a layer: all of its content is encrypted data. It has no `check`, since such formats have
 * no refcounts.
 */
export class VolumeLayer implements Layer {
  readonly encrypted = true;
  readonly dirty = false;
  readonly #options: VolumeLayerOptions;

  constructor(options: VolumeLayerOptions) {
    this.#options = options;
  }

  get format(): string {
    return this.#options.format;
  }

  get virtualSize(): number {
    return this.#options.virtualSize;
  }

  get clusterSize(): number {
    return this.#options.clusterSize;
  }

  /** A passphrase has opened it. */
  get unlocked(): boolean {
    return "read" in this.#options.access;
  }

  /** One run of data. The file offset is not given, as in QEMU. */
  *runs(from: number, to: number): Generator<Run> {
    const { access } = this.#options;
    const broken = "read" in access ? {} : { broken: access };
    if (from < to) yield { start: from, length: to - from, kind: "data", ...broken };
  }

  /** @throws {AccessError} where the volume is locked */
  readRun(run: Run, skip: number, target: Uint8Array): void {
    const { access } = this.#options;
    if (!("read" in access)) throw new AccessError(access);
    access.read(run.start + skip, target);
  }

  info(): LayerInfo {
    const { format: type, info } = this.#options;
    return {
      "dirty-flag": false,
      encrypted: true,
      "format-specific": { type, data: info() },
    };
  }

  /** Opening has judged everything. */
  judge(): void {}
}
