import type { ByteStore } from "../../bytes/mod.ts";
import {
  type AmendOptions,
  type BackingReference,
  type EditOptions,
  type FormatEditor,
  type ImageEditor,
  type Layer,
  mustBeInside,
  type ResizeOptions,
  type SnapshotEditor,
  type ZeroOptions,
} from "../../format/mod.ts";
import type { Findings } from "../findings.ts";
import { amendImage, setBackingFile } from "../manage/amend.ts";
import { Qcow2Bitmaps } from "../manage/bitmaps.ts";
import { repairQcow2 } from "../manage/repair.ts";
import { resizeDisk } from "../manage/resize.ts";
import { Qcow2Snapshots } from "../manage/snapshots.ts";
import { writeCompressed } from "./compressed.ts";
import { makeEmpty } from "./empty.ts";
import { writeGuest } from "./guest_write.ts";
import { WritableImage } from "./image.ts";
import { discardGuest, zeroGuest } from "./zeroes.ts";

/**
 * An image of qcow2 that is changed in place. The guest sees what it sees after the same changes by
 * QEMU. Where QEMU can do less or leaves a choice:
 *
 * - Compressed data can replace a cluster that is allocated; QEMU's write fails then.
 * - Compressed clusters are not written to encrypted images; QEMU stores them unencrypted.
 * - A cluster that moves keeps its unallocated subclusters; QEMU copies those between stored ones.
 * - Refcounts are always written, also with lazy refcounts: the dirty bit is only ever cleared.
 */
class Qcow2Editor implements ImageEditor {
  readonly snapshots: SnapshotEditor;
  readonly bitmaps: Qcow2Bitmaps;
  readonly #image: WritableImage;

  constructor(image: WritableImage) {
    this.#image = image;
    this.bitmaps = new Qcow2Bitmaps(image);
    this.snapshots = new Qcow2Snapshots(image, this.bitmaps);
  }

  get layer(): Layer {
    const { layer } = this.#image;
    layer.trackedBitmaps = this.bitmaps.tracked;
    return layer;
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

  resize(size: number, options: ResizeOptions = {}): void {
    this.#image.change(() =>
      this.bitmaps.resized(size, () => resizeDisk(this.#image, size, options))
    );
  }

  makeEmpty(): void {
    this.#image.change(() => {
      this.bitmaps.mark(0, this.#image.virtualSize);
      makeEmpty(this.#image);
    });
  }

  setBacking(backing: BackingReference | undefined): void {
    this.#image.change(() => setBackingFile(this.#image, backing));
  }

  amend(options: AmendOptions): void {
    this.#image.change(() => amendImage(this.#image, options));
  }

  /** Runs a change of a range of the guest's disk. */
  #change(offset: number, length: number, body: () => void): void {
    mustBeInside(this.#image.virtualSize, offset, length);
    if (length === 0) return;
    this.#image.change(() => {
      this.bitmaps.mark(offset, length);
      body();
    });
  }

  flush(): void {
    this.#image.flush();
  }

  close(): void {
    if (this.bitmaps.isTracking) this.#image.change(() => this.bitmaps.save());
    this.#image.flush();
  }
}

/** Changes qcow2 images in place. */
export const qcow2Editor: FormatEditor = {
  open(store: ByteStore, findings: Findings, options?: EditOptions): ImageEditor | undefined {
    const image = WritableImage.open(store, findings, options);
    return image && new Qcow2Editor(image);
  },

  repair: repairQcow2,
};
