import type { ByteStore } from "../../bytes/mod.ts";
import {
  type EditOptions,
  type FormatEditor,
  type ImageEditor,
  type Layer,
  mustBeInside,
  type ZeroOptions,
} from "../../format/mod.ts";
import type { Findings } from "../findings.ts";
import { writeCompressed } from "./compressed.ts";
import { writeGuest } from "./guest_write.ts";
import { WritableImage } from "./image.ts";
import { discardGuest, zeroGuest } from "./zeroes.ts";

/** An image of qcow2 that is changed in place. */
class Qcow2Editor implements ImageEditor {
  readonly #image: WritableImage;

  constructor(image: WritableImage) {
    this.#image = image;
  }

  get layer(): Layer {
    return this.#image.layer;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#change(offset, bytes.length, () => writeGuest(this.#image, offset, bytes));
  }

  writeZeroes(offset: number, length: number, { unmap = false }: ZeroOptions = {}): void {
    this.#change(offset, length, () => zeroGuest(this.#image, offset, { length, unmap }));
  }

  discard(offset: number, length: number): void {
    this.#change(offset, length, () => discardGuest(this.#image, offset, length));
  }

  writeCompressed(offset: number, bytes: Uint8Array): void {
    this.#change(offset, bytes.length, () => writeCompressed(this.#image, offset, bytes));
  }

  /** Runs a change of a range of the guest's disk. */
  #change(offset: number, length: number, body: () => void): void {
    mustBeInside(this.#image.virtualSize, offset, length);
    if (length > 0) this.#image.change(body);
  }

  flush(): void {
    this.#image.flush();
  }

  close(): void {
    this.#image.flush();
  }
}

/** Changes qcow2 images in place. */
export const qcow2Editor: FormatEditor = {
  open(store: ByteStore, findings: Findings, options?: EditOptions): ImageEditor | undefined {
    const image = WritableImage.open(store, findings, options);
    return image && new Qcow2Editor(image);
  },
};
