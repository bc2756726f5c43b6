import type { ByteSource } from "../../bytes/mod.ts";
import { type Anatomy, AnatomyCollector, type AnatomyOptions } from "../../format/mod.ts";
import { decodeQcow2, has, type Qcow2File } from "../decode.ts";
import type { Geometry } from "../geometry.ts";
import { readBitmaps } from "../judge/bitmaps.ts";
import { readSnapshotTable } from "../judge/snapshots.ts";
import { bitmapParts } from "./bitmaps.ts";
import { encryptionParts } from "./encryption.ts";
import { GuestTables } from "./guest.ts";
import { headerParts } from "./header.ts";
import { refcountParts } from "./refcounts.ts";
import { snapshotParts } from "./snapshots.ts";
import { limits } from "../structures.ts";

/**
 * The anatomy of a qcow2 image: its structures with their fields, and the use of each part of the file.
 * Works for any input; nothing is judged.
 */
export function qcow2Anatomy(source: ByteSource, options: AnatomyOptions): Anatomy {
  const file = decodeQcow2(source);
  const collector = new AnatomyCollector(options, {
    size: source.size,
    ...(file.geometry === undefined ? {} : { unit: file.geometry.clusterSize }),
  });
  headerParts(file, collector);
  const { geometry } = file;
  if (geometry !== undefined) {
    // No reader accepts larger clusters.
    if (geometry.clusterBits <= limits.clusterBits.max) tableParts(file, geometry, collector);
    else collector.unknown(`Clusters of 2^${geometry.clusterBits} bytes are not inspected`);
  }
  return collector.done();
}

function tableParts(file: Qcow2File, geometry: Geometry, collector: AnatomyCollector): void {
  const { header } = file;
  const context = { geometry, version: header.version, dataFile: has(file, "dataFile") };
  refcountParts(file, geometry, collector);
  const guest = new GuestTables(file, context, collector);
  guest.add({
    path: "/",
    title: "active L1 table",
    offset: header.l1_table_offset,
    entries: header.l1_size,
  });
  snapshotParts(file, { table: readSnapshotTable(file), guest }, collector);
  const directory = readBitmaps(file);
  if (directory !== undefined) bitmapParts(file, { directory, geometry }, collector);
  encryptionParts(file, collector);
}
