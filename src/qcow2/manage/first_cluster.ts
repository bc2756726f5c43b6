import { concat } from "../../bytes/mod.ts";
import { EditError } from "../../format/mod.ts";
import { extensionData } from "../decode.ts";
import { encodeExtension } from "../encode/extensions.ts";
import { padded } from "../encode/padded.ts";
import { backingNameBytes } from "../judge/backing.ts";
import { extensionTypes } from "../structures.ts";
import { type HeaderFields, setFields } from "../write/header.ts";
import type { WritableImage } from "../write/image.ts";

/** A header extension: its type and data. */
export interface StoredExtension {
  readonly type: number;
  readonly data: Uint8Array;
}

/** A change of the first cluster. What is absent stays as it is. */
export interface FirstCluster {
  readonly fields?: HeaderFields;
  readonly extensions?: readonly StoredExtension[];
  /** The name of the backing file; empty for none. */
  readonly backingName?: Uint8Array;
  /** The new length of the header. New fields are zeros. */
  readonly headerLength?: number;
}

/** The header extensions of an image, without the one that ends the list. */
export function storedExtensions({ file }: WritableImage): StoredExtension[] {
  return [...file.extensions]
    .filter(({ type, dataFits }) => type !== extensionTypes.end && dataFits)
    .map((extension) => ({ type: extension.type, data: extensionData(file, extension).slice() }));
}

/** The extensions with one of a type added, replaced or removed. */
export function withExtension(
  extensions: readonly StoredExtension[],
  type: number,
  data: Uint8Array | undefined,
): StoredExtension[] {
  const rest = extensions.filter((extension) => extension.type !== type);
  if (data === undefined) return rest;
  const at = extensions.findIndex((extension) => extension.type === type);
  return at < 0 ? [...rest, { type, data }] : rest.toSpliced(at, 0, { type, data });
}

/**
 * Writes the header, the extensions and the name of the backing file in one write, after a barrier.
 * Unknown fields and extensions stay.
 *
 * @throws {EditError} if they do not fit into a cluster
 */
export function writeFirstCluster(image: WritableImage, change: FirstCluster): void {
  const { store, file, geometry: { clusterSize } } = image;
  const { headerLength = file.extensionsStart } = change;
  const extensions = change.extensions ?? storedExtensions(image);
  const name = change.backingName ?? backingNameBytes(file) ?? new Uint8Array(0);
  const old = store.read(0, clusterSize);
  const head = new Uint8Array(headerLength);
  head.set(old.subarray(0, Math.min(headerLength, file.extensionsStart)));
  const end = { type: extensionTypes.end, data: new Uint8Array(0) };
  const area = concat(...[...extensions, end].map(encodeExtension));
  const nameAt = headerLength + area.length;
  if (nameAt + name.length > clusterSize) {
    throw new EditError("The first cluster has no room for the header extensions");
  }
  setFields(head, {
    ...change.fields,
    backing_file_offset: BigInt(name.length === 0 ? 0 : nameAt),
    backing_file_size: name.length,
    header_length: headerLength,
  });
  const bytes = padded(concat(head, area, name), clusterSize);
  const first = bytes.findIndex((byte, i) => byte !== old[i]);
  image.barrier();
  if (first >= 0) {
    const last = bytes.findLastIndex((byte, i) => byte !== old[i]);
    store.write(first, bytes.subarray(first, last + 1));
  }
  image.reopen();
}
