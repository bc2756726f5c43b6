import { SECTOR } from "../../../src/bytes/mod.ts";
import type { Placed } from "../../../src/format/mod.ts";
import { compressedBytes, l1Entry, type Qcow1Model } from "../../../src/qcow1/mod.ts";
import type { RuleId } from "../../../src/rules/mod.ts";
import type { Editable } from "../../mutate/mod.ts";

/** The rules that a sound image breaks. */
export function brokenByQcow1(model: Qcow1Model, image: Editable): Map<RuleId, boolean> {
  const { size, mtime, padding, clusters, clusterBits, l2Bits, placement } = model;
  const { placed, size: end } = image;
  const visible = clusters.filter(({ index }) => visibleBytes(model, index) > 0);
  const isCompressed = (cluster: Qcow1Model["clusters"][number]): boolean =>
    compressedBytes(cluster, 2 ** clusterBits) !== undefined;
  const data = visible.filter((cluster) => !isCompressed(cluster));
  const isSkewed = (skews: readonly number[], index: number): boolean =>
    skews.length > 0 && skews[index % skews.length] !== 0;
  const tables = [...new Set(clusters.map(({ index }) => Math.floor(index / 2 ** l2Bits)))]
    .map((table, number) => ({ table, isSkewed: isSkewed(placement.l2Skews, number) }))
    // An L1 entry after the last whole sector of the disk is not read.
    .filter(({ table }) => visibleBytes(model, table * 2 ** l2Bits) > 0);
  const l1Length = l1Entry.size * Math.ceil(visibleBytes(model, 0) / 2 ** (clusterBits + l2Bits));
  const places = new Map(placed.map((place) => [place.path, place]));
  const isCut = (path: string, length?: number): boolean => pastEnd(places.get(path), end, length);
  return new Map<RuleId, boolean>([
    ["qcow1.check.unsupported", true],
    ["qcow1.header.padding-mtime", mtime !== 0 || padding !== 0],
    ["qcow1.header.size-512", size % BigInt(SECTOR) !== 0n],
    ["qcow1.l1.alignment", placement.l1Skew !== 0],
    ["qcow1.l2.alignment", tables.some(({ isSkewed }) => isSkewed)],
    [
      "qcow1.l2e.cluster-aligned",
      data.some((cluster) => isSkewed(placement.clusterSkews, clusters.indexOf(cluster))),
    ],
    [
      "blk.io.past-eof",
      l1Length > 0 && isCut("/l1", l1Length) ||
      tables.some(({ table }) => isCut(`/l2[${table}]`)) ||
      data.some(({ index }) =>
        isCut(`/data[${index}]`, Math.min(2 ** clusterBits, visibleBytes(model, index)))
      ),
    ],
    [
      "qcow1.comp.readable",
      visible.some((cluster) => isCompressed(cluster) && isCut(`/data[${cluster.index}]`)),
    ],
  ]);
}

/** Bytes of the disk from the start of a cluster on. */
function visibleBytes({ size, clusterBits }: Qcow1Model, index: number): number {
  return Math.floor(Number(size) / SECTOR) * SECTOR - index * 2 ** clusterBits;
}

function pastEnd(
  place: Placed | undefined,
  end: number,
  length: number = place?.length ?? 0,
): boolean {
  return place !== undefined && place.offset + length > end;
}
