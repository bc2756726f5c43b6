import { type ByteStore, roundUp, SECTOR } from "../bytes/mod.ts";
import {
  EditError,
  type ImageEditor,
  mustBeInside,
  mustGrow,
  type ResizeOptions,
} from "./editor.ts";
import type { VolumeLayer } from "./volume_layer.ts";

/** The parts of a {@link VolumeEditor}. */
export interface VolumeEditorOptions {
  /** The file with the encrypted content. */
  readonly payload: ByteStore;
  /** Opens the volume as it is now. */
  layer(): VolumeLayer;
  /** Encrypts and stores bytes of the content. */
  write(offset: number, bytes: Uint8Array): void;
  /** Length of the payload with a disk of so many bytes; absent if the size is fixed. */
  payloadSize?(size: number): number;
}

/** Bytes that are written at a time. */
const CHUNK = 2 ** 20;

/** A volume that is changed: all of its content is encrypted data. */
export class VolumeEditor implements ImageEditor {
  readonly #options: VolumeEditorOptions;
  #layer: VolumeLayer | undefined;

  constructor(options: VolumeEditorOptions) {
    this.#options = options;
  }

  get layer(): VolumeLayer {
    return this.#layer ??= this.#options.layer();
  }

  write(offset: number, bytes: Uint8Array): void {
    mustBeInside(this.layer.virtualSize, offset, bytes.length);
    for (let at = 0; at < bytes.length; at += CHUNK) {
      this.#options.write(offset + at, bytes.subarray(at, at + CHUNK));
    }
  }

  /** Zeros are encrypted like everything else. */
  writeZeroes(offset: number, length: number): void {
    mustBeInside(this.layer.virtualSize, offset, length);
    const zeros = new Uint8Array(Math.min(CHUNK, length));
    for (let at = 0; at < length; at += CHUNK) {
      this.#options.write(offset + at, zeros.subarray(0, length - at));
    }
  }

  /** As in QEMU and in cryptsetup without --allow-discards, nothing happens. */
  discard(offset: number, length: number): void {
    mustBeInside(this.layer.virtualSize, offset, length);
  }

  /** New content is what zeros in the file decrypt to, as in QEMU. */
  resize(size: number, options: ResizeOptions = {}): void {
    const { payload, payloadSize } = this.#options;
    const to = roundUp(size, SECTOR);
    mustGrow(this.layer.virtualSize, to, options);
    if (payloadSize === undefined) {
      throw new EditError("Cannot change the size of the disk: the header has a fixed size for it");
    }
    setLength(payload, payloadSize(to), options);
    this.#layer = undefined;
  }

  flush(): void {
    this.#options.payload.flush();
  }

  close(): void {
    this.flush();
  }
}

/** Sets the length of a file without metadata, with the preallocation that is requested. */
export function setLength(
  store: ByteStore,
  size: number,
  { preallocation = "off" }: ResizeOptions = {},
): void {
  if (preallocation === "metadata") {
    throw new EditError("Cannot preallocate metadata: the format has none");
  }
  const before = store.size;
  store.resize(size);
  if (preallocation === "off") return;
  const zeros = new Uint8Array(CHUNK);
  for (let at = before; at < size; at += CHUNK) store.write(at, zeros.subarray(0, size - at));
}
