import type { ByteSource, ByteStore } from "../bytes/mod.ts";
import type { Findings } from "../rules/mod.ts";
import type { DriverOptions } from "./driver.ts";
import type { BackingReference, Layer } from "./layer.ts";

/** A change that an image does not allow. The image is as before. */
export class EditError extends Error {
  /** A change that is rejected for this reason. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "EditError";
  }
}

/** @throws {EditError} for a range that is not inside a disk of this size */
export function mustBeInside(virtualSize: number, offset: number, length: number): void {
  const isWhole = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  if (isWhole && offset >= 0 && length >= 0 && offset + length <= virtualSize) return;
  throw new EditError(
    `Cannot change ${length} bytes at ${offset}: the disk has ${virtualSize} bytes`,
  );
}

/** @throws {EditError} if a disk would become smaller, and that is not allowed */
export function mustGrow(before: number, size: number, { shrink = false }: ResizeOptions): void {
  if (size >= before || shrink) return;
  throw new EditError("Cannot shrink the disk: content past the new end would be lost");
}

/** What an image is changed with. */
export interface EditOptions extends DriverOptions {
  /** The content of the backing file, as a guest sees it; absent if there is none. */
  readonly below?: ByteSource;
  /** The external data file, if the image has one. */
  readonly dataFile?: ByteStore;
  /** For a detached header: the store of its payload. */
  readonly payload?: ByteStore;
  /** The current time in nanoseconds since 1970, for snapshots. */
  now?(): bigint;
}

/** How zeros are written. */
export interface ZeroOptions {
  /** Clusters that read as zeros then may give up their place in the file. */
  readonly unmap?: boolean;
}

/** How the size of a disk is changed. */
export interface ResizeOptions {
  /** Allow that content past the new end is lost. */
  readonly shrink?: boolean;
  /** How much of the new part is allocated, as in `qemu-img resize`. */
  readonly preallocation?: "off" | "metadata" | "falloc" | "full";
}

/** Properties of an image that `qemu-img amend` changes. What is absent stays. */
export interface AmendOptions {
  /** The version of the format. */
  readonly version?: 2 | 3;
  /** The width of refcounts. */
  readonly refcountBits?: number;
  /** Whether refcounts may be updated later than the content. */
  readonly lazyRefcounts?: boolean;
  /** The name of the external data file. */
  readonly dataFile?: string;
  /** Whether the external data file is a raw image of the disk. */
  readonly dataFileRaw?: boolean;
}

/** Changes the internal snapshots of an image. */
export interface SnapshotEditor {
  /** Keeps the current content under a name. @returns its id */
  create(name: string): string;
  /** Makes the content of a snapshot the current one. @param name id, or else name */
  apply(name: string): void;
  /** Removes a snapshot. @param name id, or else name */
  delete(name: string): void;
}

/** Changes the persistent bitmaps of an image, like `qemu-img bitmap`. */
export interface BitmapEditor {
  /**
   * Adds a bitmap that tracks writes.
   *
   * @param options.granularity in bytes; by default the cluster size, but from 4096 to 65536
   */
  add(name: string, options?: { readonly granularity?: number; readonly enabled?: boolean }): void;
  /** Removes a bitmap. */
  remove(name: string): void;
  /** Makes a bitmap track writes. */
  enable(name: string): void;
  /** Makes a bitmap stop tracking writes. */
  disable(name: string): void;
  /** Clears all bits of a bitmap. */
  clear(name: string): void;
  /** Sets the bits of the range of each of `ranges` in the bitmap `target`. */
  merge(
    target: string,
    ranges: Iterable<{ readonly start: number; readonly length: number }>,
  ): void;
}

/**
 * An image that is changed in place.
 *
 * Offsets and lengths are bytes of the guest's disk, at any position below its end. A method either
 * completes, or throws and leaves an image that opens and in which each sector has its old content or
 * the new one. The result of a change is durable after `flush`.
 */
export interface ImageEditor {
  /** The image as it is now, for reading. It is valid until the next change. */
  readonly layer: Layer;
  /** Writes bytes. */
  write(offset: number, bytes: Uint8Array): void;
  /** Makes a range read as zeros. */
  writeZeroes(offset: number, length: number, options?: ZeroOptions): void;
  /** Gives up the content of a range; what it reads as depends on the format, as in QEMU. */
  discard(offset: number, length: number): void;
  /** Writes one or several whole clusters compressed; absent if the format cannot. */
  writeCompressed?(offset: number, bytes: Uint8Array): void;
  /** Changes the size of the disk in bytes; absent if the format cannot. */
  resize?(size: number, options?: ResizeOptions): void;
  /** Gives up all content, so that the backing file shows; absent if the format cannot. */
  makeEmpty?(): void;
  /**
   * Changes what the image says of its backing file; absent if the format cannot. Content that is read
   * from the backing file does not change along with it: the caller copies it first.
   */
  setBacking?(backing: BackingReference | undefined): void;
  /** Changes properties of the image, and not the content; absent if the format cannot. */
  amend?(options: AmendOptions): void;
  /** The internal snapshots; absent if the format has none. */
  readonly snapshots?: SnapshotEditor;
  /** The persistent bitmaps; absent if the format has none. */
  readonly bitmaps?: BitmapEditor;
  /** Makes everything durable. */
  flush(): void;
  /** Writes what is left and marks the image as closed. The stores stay open. */
  close(): void;
}

/** What a repair did, as `qemu-img check -r` counts it. */
export interface Repaired {
  /** Corruptions that were repaired. */
  readonly corruptions: number;
  /** Leaked clusters that were released. */
  readonly leaks: number;
}

/** Changes images of a format in place. */
export interface FormatEditor {
  /**
   * Opens an image for changes. What QEMU's driver changes on opening for writing (unknown autoclear bits,
   * the dirty bit) is changed with the first write.
   *
   * @param findings what is wrong with the image
   * @returns `undefined` if a finding says that it must not be written
   */
  open(store: ByteStore, findings: Findings, options?: EditOptions): ImageEditor | undefined;
  /**
   * Repairs what `qemu-img check -r` repairs; absent if the format has nothing to repair.
   *
   * @param findings what is wrong with the image before
   * @returns `undefined` if the check cannot be completed: nothing is repaired then
   */
  repair?(
    store: ByteStore,
    findings: Findings,
    options: EditOptions & { readonly leaksOnly: boolean },
  ): Repaired | undefined;
}
