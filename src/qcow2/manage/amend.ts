import { utf8 } from "../../bytes/mod.ts";
import {
  type AmendOptions,
  type BackingReference,
  EditError,
  nameBytes,
} from "../../format/mod.ts";
import { V2_REFCOUNT_ORDER } from "../geometry.ts";
import { classOf } from "../l2_entries.ts";
import { L2Table } from "../l2_tables.ts";
import { extensionTypes, features, header, headerV2, limits } from "../structures.ts";
import type { WritableImage } from "../write/image.ts";
import { l1Of, tablesOf } from "../write/walk.ts";
import { expandZeros } from "./expand_zeros.ts";
import { storedExtensions, withExtension, writeFirstCluster } from "./first_cluster.ts";
import { changeRefcountWidth } from "./new_refcounts.ts";
import { completeSnapshots } from "./snapshot_table.ts";

/**
 * Changes properties of an image, like `qemu-img amend`. Each is changed by itself, in QEMU's order: an
 * upgrade first and a downgrade last.
 */
export function amendImage(image: WritableImage, options: AmendOptions): void {
  const { version = image.version, refcountBits, lazyRefcounts, dataFile, dataFileRaw } = options;
  mustAllow(image, options);
  if (version > image.version) upgrade(image);
  if (refcountBits !== undefined && refcountBits !== image.geometry.refcountBits) {
    changeRefcountWidth(image, Math.log2(refcountBits));
  }
  if (dataFileRaw === false) {
    const { autoclear_features } = image.file.header;
    image.setHeader({ autoclear_features: autoclear_features & ~features.rawExternal });
  }
  if (dataFile !== undefined) {
    const name = dataFile === "" ? undefined : nameBytes(dataFile);
    const extensions = withExtension(storedExtensions(image), extensionTypes.dataFile, name);
    writeFirstCluster(image, { extensions });
  }
  if (lazyRefcounts !== undefined && image.version >= 3) {
    const { compatible_features } = image.file.header;
    image.setHeader({
      compatible_features: lazyRefcounts
        ? compatible_features | features.lazyRefcounts
        : compatible_features & ~features.lazyRefcounts,
    });
  }
  if (version < image.version) downgrade(image);
  image.flush();
}

/** @throws {EditError} for a change that the image does not allow */
function mustAllow(image: WritableImage, options: AmendOptions): void {
  const { version = image.version, refcountBits, lazyRefcounts, dataFile, dataFileRaw } = options;
  const bits = refcountBits ?? image.geometry.refcountBits;
  const order = Math.log2(bits);
  if (!Number.isInteger(order) || order < 0 || order > limits.refcountOrder) {
    throw new EditError("The width of refcounts must be a power of two up to 64 bits");
  }
  if (version < 3 && order !== V2_REFCOUNT_ORDER) {
    throw new EditError("In version 2, refcounts have 16 bits");
  }
  if (version < 3 && lazyRefcounts === true) throw new EditError("Version 2 has no lazy refcounts");
  if (dataFile !== undefined && image.dataFile === undefined) {
    throw new EditError("The image has no external data file");
  }
  if (dataFileRaw === true && !image.dataIsRaw) {
    throw new EditError("The data file of an image that exists cannot become raw");
  }
  if (version < image.version) mustBeDowngradable(image);
}

function mustBeDowngradable(image: WritableImage): void {
  const { file: { header: { incompatible_features } }, virtualSize } = image;
  const prevents = (reason: string): EditError =>
    new EditError(`The image cannot have version 2: ${reason}`);
  if (image.dataFile !== undefined) throw prevents("it has an external data file");
  if (image.opened.bitmaps !== undefined) throw prevents("it has bitmaps");
  for (const { vmStateSize, diskSize } of image.opened.snapshots.snapshots) {
    if (vmStateSize > limits.vmStateSize || diskSize !== BigInt(virtualSize)) {
      throw prevents("a snapshot has another size or a long VM state");
    }
  }
  const known = features.compressionType | features.dirty;
  if ((incompatible_features & ~known) !== 0n) throw prevents("it has incompatible features");
  if ((incompatible_features & features.compressionType) !== 0n && hasCompressed(image)) {
    throw prevents("it has clusters that are compressed with zstd");
  }
}

function hasCompressed(image: WritableImage): boolean {
  const { store, geometry, context } = image;
  for (const tree of [image.file.header, ...image.opened.snapshots.snapshots]) {
    for (const [, offset] of tablesOf(l1Of(image, tree))) {
      const table = new L2Table(store, offset, geometry);
      for (let k = table.nextNonZero(0); k < table.stored; k = table.nextNonZero(k + 1)) {
        if (classOf(table.high(k), table.low(k), context) === "compressed") return true;
      }
    }
  }
  return false;
}

function upgrade(image: WritableImage): void {
  completeSnapshots(image);
  writeFirstCluster(image, {
    headerLength: header.size,
    fields: { version: 3, refcount_order: V2_REFCOUNT_ORDER },
  });
}

function downgrade(image: WritableImage): void {
  expandZeros(image);
  const none = withExtension(storedExtensions(image), extensionTypes.featureNameTable, undefined);
  writeFirstCluster(image, {
    headerLength: headerV2.size,
    extensions: none,
    fields: { version: 2 },
  });
}

/** Changes the name and format of the backing file, and not the content. */
export function setBackingFile(image: WritableImage, backing: BackingReference | undefined): void {
  const name = backing === undefined ? new Uint8Array(0) : nameBytes(backing.name);
  if (name.length > limits.backingName || name.includes(0)) {
    throw new EditError(
      `The name of a backing file has at most ${limits.backingName} bytes, without NUL`,
    );
  }
  if (backing !== undefined && image.dataIsRaw) {
    throw new EditError("An image with a raw data file cannot have a backing file");
  }
  const format = backing?.format === undefined ? undefined : utf8(backing.format);
  const extensions = withExtension(storedExtensions(image), extensionTypes.backingFormat, format);
  writeFirstCluster(image, { extensions, backingName: name });
  image.flush();
}
