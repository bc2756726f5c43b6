import {
  AccessError,
  type Broken,
  type Json,
  type Layer,
  type LayerInfo,
  type Run,
} from "./layer.ts";

/** Fills `target` with content, starting at a byte offset. */
export interface ContentAccess {
  read(from: number, target: Uint8Array): void;
}

/** The parts of a {@link VolumeLayer}. */
export interface VolumeLayerOptions {
  readonly format: string;
  /** Length of the guest's disk in bytes. */
  readonly virtualSize: number;
  /** Length of the largest encryption sector in bytes. */
  readonly clusterSize: number;
  /** Reads and decrypts the content, or the reason why it cannot be read. */
  readonly access: ContentAccess | Broken;
  /** The format-specific part of `info`. */
  readonly info: () => { readonly [key: string]: Json };
}

/**
 * A volume as a layer: all of its content is encrypted data. It has no `check` because such formats
 * have no refcounts.
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

  /** It was opened with a passphrase. */
  get unlocked(): boolean {
    return "read" in this.#options.access;
  }

  /** One run of data. As in QEMU, it has no file offset. */
  *runs(from: number, to: number): Generator<Run> {
    const { access } = this.#options;
    const broken = "read" in access ? {} : { broken: access };
    if (from < to) yield { start: from, length: to - from, kind: "data", ...broken };
  }

  /** @throws {AccessError} if the volume is locked */
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

  /** Everything has already been judged on open. */
  judge(): void {}
}
