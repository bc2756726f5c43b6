import { type ByteSource, WindowSource } from "../../bytes/mod.ts";
import { type Anatomy, AnatomyCollector, type AnatomyOptions } from "../../format/mod.ts";
import { decode } from "../../layout/mod.ts";
import { luksAnatomy } from "../../luks/mod.ts";
import { decodeQcow2, extensionData, extensionOf, has, type Qcow2File } from "../decode.ts";
import type { Geometry } from "../geometry.ts";
import { readBitmaps } from "../judge/bitmaps.ts";
import { readSnapshotTable } from "../judge/snapshots.ts";
import { encryptionPointer, extensionTypes } from "../structures.ts";
import { bitmapParts } from "./bitmaps.ts";
import { GuestTables } from "./guest.ts";
import { headerParts } from "./header.ts";
import { refcountParts } from "./refcounts.ts";
import { snapshotParts } from "./snapshots.ts";

/** Largest clusters that any reader takes; tables in larger ones are not looked at. */
const CLUSTER_BITS_MAX = 21;

/**
 * What a qcow2 image is made of: structures with their fields, and what claims which part of the file.
 * Total, whatever the image says; nothing is judged.
 */
export function qcow2Anatomy(source: ByteSource, options: AnatomyOptions): Anatomy {
  const file = decodeQcow2(source);
  const collector = new AnatomyCollector(options, file.geometry?.clusterSize);
  headerParts(file, collector);
  const { geometry } = file;
  if (geometry !== undefined) {
    if (geometry.clusterBits <= CLUSTER_BITS_MAX) tableParts(file, geometry, collector);
    else collector.unknown(`Clusters of 2^${geometry.clusterBits} bytes are not looked into`);
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
  encryptionHeader(file, collector);
}

/** The LUKS header and its key slots, which another format explains; key material is in clusters of its own. */
function encryptionHeader(file: Qcow2File, collector: AnatomyCollector): void {
  const extension = extensionOf(file, extensionTypes.encryptionHeader);
  if (extension === undefined || extension.length !== encryptionPointer.size) return;
  const { offset, length } = decode(encryptionPointer, extensionData(file, extension));
  collector.claim({
    path: "/encryption_header",
    offset: Number(offset),
    length: Number(length),
    kind: "table",
    says: "LUKS header and key material",
  });
  const base = Number(offset);
  const region = new WindowSource(file.source, base, Number(length));
  const { parts } = luksAnatomy(region, collector.options);
  for (const part of parts) {
    const rows = part.rows.map((row) => ({ ...row, ...moved(row, base) }));
    collector.part({ ...part, ...moved(part, base), rows });
  }
}

/** A place in the LUKS header as a place in the image. */
function moved(
  { path, offset }: { path: string; offset: number },
  base: number,
): { path: string; offset: number } {
  return { path: `/luks${path}`, offset: base + offset };
}
