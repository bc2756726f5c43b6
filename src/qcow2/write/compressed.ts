import { deflateCluster, zstdCluster } from "../../codec/mod.ts";
import { EditError } from "../../format/mod.ts";
import { compressedWords } from "../encode/entries.ts";
import { NO_ENTRY } from "../l2_entries.ts";
import { compressionTypes } from "../structures.ts";
import { EntryChanges } from "./entry_changes.ts";
import { batchesOf, partsOf, writeGuest } from "./guest_write.ts";
import type { WritableImage } from "./image.ts";

/**
 * Writes whole clusters compressed. One that does not become shorter is stored as it is.
 *
 * @throws {EditError} if the image cannot have compressed clusters, or the range is not whole clusters
 */
export function writeCompressed(image: WritableImage, offset: number, bytes: Uint8Array): void {
  const { clusterSize } = image.geometry;
  const end = offset + bytes.length;
  if (image.dataFile !== undefined) {
    throw new EditError("An image with an external data file cannot have compressed clusters");
  }
  if (image.opened.encryption !== undefined) {
    throw new EditError("Compressed clusters are not encrypted, and the image is");
  }
  if (offset % clusterSize !== 0 || end % clusterSize !== 0 && end !== image.virtualSize) {
    throw new EditError(`Compressed writes must be whole clusters of ${clusterSize} bytes`);
  }
  for (const [from, to] of batchesOf(image, [offset, end])) {
    writeBatch(image, from, bytes.subarray(from - offset, to - offset));
  }
}

function writeBatch(image: WritableImage, offset: number, bytes: Uint8Array): void {
  const { geometry: { clusterSize }, file, store } = image;
  const compress = file.header.compression_type === compressionTypes.zstd
    ? zstdCluster
    : deflateCluster;
  const changes = new EntryChanges(image);
  const plain: (() => void)[] = [];
  for (const { guest, entry: before, to } of partsOf(image, offset, bytes.length)) {
    const content = bytes.subarray(guest - offset, guest - offset + to);
    const cluster = new Uint8Array(clusterSize);
    cluster.set(content);
    const short = compress(cluster);
    if (short.length >= clusterSize) {
      plain.push(() => writeGuest(image, guest, content));
      continue;
    }
    const at = image.compressed.take(short.length);
    store.write(at, short);
    const [high, low] = compressedWords({ offset: at, length: short.length }, image.geometry);
    const after = { ...NO_ENTRY, high: high >>> 0, low: low >>> 0 };
    changes.set(guest / clusterSize, { before, after });
  }
  changes.commit({ afterData: true });
  for (const write of plain) write();
}
