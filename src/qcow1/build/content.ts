import { deflateCluster, type DeflateOptions } from "../../codec/mod.ts";
import {
  type GuestContent,
  type Pattern,
  patternBytes,
  remembering,
  WHOLE,
} from "../../format/mod.ts";
import { geometryOf, guestSize } from "../geometry.ts";
import type { GuestCluster, Qcow1Model } from "../model.ts";

/**
 * The guest content of a cluster without the backing file, cut at the end of the disk; `undefined` if
 * the cluster is unallocated. It is computed from the model alone.
 *
 * @param model as `normaliseQcow1` returns it
 */
export function contentOf(model: Qcow1Model, index: number): Uint8Array | undefined {
  const { clusterSize } = geometryOf(model);
  const length = Math.min(clusterSize, guestSize(model.size) - index * clusterSize);
  const cluster = model.clusters.find((candidate) => candidate.index === index);
  return cluster === undefined || length <= 0 ? undefined : patternBytes(cluster.pattern, length);
}

/**
 * The guest content of the image without its backing file.
 *
 * @param model as `normaliseQcow1` returns it
 */
export function guestContent(model: Qcow1Model): GuestContent {
  const { clusterSize } = geometryOf(model);
  const virtualSize = guestSize(model.size);
  const count = Math.ceil(virtualSize / clusterSize);
  return {
    clusterSize,
    virtualSize,
    named: model.clusters.map(({ index }) => index).filter((index) => index < count),
    at(index) {
      const bytes = contentOf(model, index);
      if (bytes !== undefined) return { bytes, known: WHOLE };
      const length = Math.min(clusterSize, virtualSize - index * clusterSize);
      return { bytes: new Uint8Array(length), known: 0 };
    },
  };
}

/**
 * The compressed form of a cluster, or `undefined` if it is stored uncompressed, because the model
 * says so or compressing does not make it shorter.
 */
export function compressedBytes(
  cluster: GuestCluster,
  clusterSize: number,
): Uint8Array | undefined {
  if (cluster.kind === "data" || cluster.pattern.kind === "noise") return undefined;
  const { pattern, level } = cluster;
  const compressed = deflated({ pattern, level, clusterSize });
  return compressed.length < clusterSize ? compressed : undefined;
}

const REMEMBERED_MAX = 4096;

/** Compressing is by far the slowest part of building, and shrinking repeats it many times. */
const deflated = remembering(
  ({ pattern, level, clusterSize }: { pattern: Pattern; level: number; clusterSize: number }) =>
    deflateCluster(patternBytes(pattern, clusterSize), {
      level: level as NonNullable<DeflateOptions["level"]>,
    }),
  { sizeOf: () => 1, sizeMax: REMEMBERED_MAX },
);
