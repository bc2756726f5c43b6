import {
  deflateCluster,
  type DeflateOptions,
  zstdCluster,
  type ZstdOptions,
} from "../../codec/mod.ts";
import { patternBytes } from "../../format/mod.ts";
import { ALL_SUBCLUSTERS } from "../encode/entries.ts";
import { type Geometry, SUBCLUSTERS } from "../geometry.ts";
import type { GuestCluster, Qcow2Model, ZstdFrames } from "../model.ts";

/** The subclusters that a layer defines, and those with stored data. */
export function subclusterMasks(cluster: GuestCluster): { known: number; stored: number } {
  switch (cluster.kind) {
    case "data":
    case "compressed":
      return { known: ALL_SUBCLUSTERS, stored: ALL_SUBCLUSTERS };
    case "zero":
    case "zero-allocated":
      return { known: ALL_SUBCLUSTERS, stored: 0 };
    case "subclusters":
      return { known: (cluster.allocated | cluster.zero) >>> 0, stored: cluster.allocated };
  }
}

/** Whether a guest cluster has a host cluster, or compressed data. */
export function isStored(cluster: GuestCluster): boolean {
  return cluster.kind !== "zero" &&
    (cluster.kind !== "subclusters" || cluster.reserved || cluster.allocated !== 0);
}

/**
 * The bytes of a guest cluster: zeros outside the subclusters with data.
 *
 * @param length in bytes; less than a cluster at the end of the disk
 */
export function visibleBytes(
  cluster: GuestCluster,
  length: number,
  geometry: Geometry,
): Uint8Array {
  const { stored } = subclusterMasks(cluster);
  if (stored === 0 || cluster.kind === "zero") return new Uint8Array(length);
  const bytes = patternBytes(cluster.pattern, length);
  if (stored === ALL_SUBCLUSTERS) return bytes;
  const size = geometry.clusterSize / SUBCLUSTERS;
  for (let i = 0; i < SUBCLUSTERS; i++) {
    if ((stored >>> i & 1) === 0) bytes.fill(0, i * size, (i + 1) * size);
  }
  return bytes;
}

/**
 * The bytes of the host cluster of an uncompressed guest cluster. The parts that a guest does not
 * see are not zeros, to detect a reader that uses them. In a raw data file, which is read without
 * the tables, they are zeros.
 */
export function hostBytes(
  cluster: Exclude<GuestCluster, { kind: "zero" }>,
  geometry: Geometry,
  raw = false,
): Uint8Array {
  return raw
    ? visibleBytes(cluster, geometry.clusterSize, geometry)
    : patternBytes(cluster.pattern, geometry.clusterSize);
}

/** Compressing is by far the slowest part of building, and shrinking repeats it many times. */
const compressedBefore = new Map<string, Uint8Array | undefined>();
const REMEMBERED_MAX = 4096;

type Compressing = Pick<GuestCluster & { kind: "compressed" }, "pattern" | "level" | "frames">;

const FRAMES: Readonly<Record<ZstdFrames, ZstdOptions>> = {
  skippable: { parts: [{ kind: "skippable", length: 5, variant: 3 }] },
  several: {
    checksum: true,
    parts: [
      { kind: "content", length: 300 },
      { kind: "content", length: 0 },
      { kind: "skippable", length: 0 },
    ],
  },
  stored: { stored: true, contentSize: false },
  wide: { restated: "window" },
  overstated: { restated: "size" },
};

/**
 * The compressed form of a cluster, or `undefined` if it is not shorter than the cluster: QEMU
 * stores such a cluster uncompressed. With zstd the bytes depend on the runtime's libzstd.
 */
export function compressPattern(
  { pattern, level, frames }: Compressing,
  image: { compression: Qcow2Model["compression"]; clusterBits: number },
): Uint8Array | undefined {
  if (pattern.kind === "noise") return undefined;
  const how = [image.compression, image.clusterBits, level, frames ?? ""];
  const key = [...how, pattern.kind, pattern.seed].join(" ");
  if (compressedBefore.has(key)) return compressedBefore.get(key);
  const clusterSize = 2 ** image.clusterBits;
  const bytes = patternBytes(pattern, clusterSize);
  const compressed = image.compression === "zstd"
    ? zstdCluster(bytes, frames === undefined ? { level } : { level, ...FRAMES[frames] })
    : deflateCluster(bytes, { level: level as NonNullable<DeflateOptions["level"]> });
  const result = compressed.length < clusterSize ? compressed : undefined;
  if (compressedBefore.size >= REMEMBERED_MAX) compressedBefore.clear();
  compressedBefore.set(key, result);
  return result;
}
