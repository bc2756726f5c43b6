import { SECTOR } from "../../bytes/mod.ts";
import { compressedInput, inflateCluster } from "../../codec/mod.ts";
import { firstBroken } from "../../layout/mod.ts";
import type { Place } from "../../rules/mod.ts";
import { compressedExtent, type Entry, valueOf } from "../entry.ts";
import type { Qcow1Image } from "../image.ts";
import { type Broken, reachable } from "../findings.ts";
import { l1Entry, l2Entry } from "../structures.ts";

/** An entry of the L1 table as a place. */
export function l1Place({ l1Offset }: Qcow1Image, index: number): Place {
  return { path: `/l1/${index}/l1_entry`, offset: l1Offset + BigInt(index * l1Entry.size) };
}

/** An entry of the L2 table that an L1 entry points to as a place. */
export function l2Place(l1Index: number, table: Entry, index: number): Place {
  const offset = valueOf(table) + BigInt(index * l2Entry.size);
  return { path: `/l2[${l1Index}]/${index}/l2_entry`, offset };
}

/** Why QEMU cannot load the L2 table of an L1 entry (get_cluster_offset), if it cannot. */
export function tableFault(image: Qcow1Image, entry: Entry, index: number): Broken | undefined {
  if (reachable(entry, image.geometry.l2Size)) return undefined;
  return firstBroken(l1Entry, { l1_entry: valueOf(entry) }, {
    context: { "L2 table": image.geometry.l2Size },
    place: () => l1Place(image, index),
    rules: ["qcow1.l1e.range"],
  });
}

/**
 * Why QEMU cannot read an uncompressed cluster up to its byte `end` (qcow_co_preadv), if it cannot.
 */
export function dataFault(entry: Entry, end: number, place: () => Place): Broken | undefined {
  if (entry.low % SECTOR === 0 && reachable(entry, end)) return undefined;
  return firstBroken(l2Entry, { l2_entry: valueOf(entry) }, {
    context: { cluster: end },
    place,
    rules: ["qcow1.l2e.sector-aligned", "qcow1.l2e.range"],
  });
}

/** Decompresses the cluster of an entry (decompress_cluster), or says why that cannot be done. */
export function decompressEntry(
  { source, geometry }: Qcow1Image,
  entry: Entry,
  place: () => Place,
): Uint8Array | Broken {
  const extent = compressedExtent(entry, geometry.clusterBits);
  if (extent.length === 0) {
    const message = "Cannot decompress a cluster: its compressed data is empty";
    return { rule: "qcow1.comp.length-nonzero", place: place(), message };
  }
  const cluster = inflateCluster(compressedInput(source, extent), geometry.clusterSize);
  if (cluster.ok) return cluster.bytes;
  const message = `Cannot decompress a cluster: ${cluster.reason}`;
  return { rule: "qcow1.comp.inflate", place: place(), message };
}
