import { normaliseQcow1 } from "../../../src/qcow1/mod.ts";
import { normaliseQcow2 } from "../../../src/qcow2/build/mod.ts";
import type { ChainModel } from "./models.ts";

/**
 * The chain with a top image of at most so many guest clusters, so that all of its content can be
 * compared. Later clusters are moved to the front.
 */
export function modestDisk(chain: ChainModel, clusters: number): ChainModel {
  const [top, ...rest] = chain;
  if (top === undefined || top.format === "raw") return chain;
  const limit = BigInt(clusters + 1) * (1n << BigInt(top.clusterBits));
  if (top.size <= limit) return chain;
  const size = limit + top.size % 1024n;
  if (top.format === "qcow") {
    const moved = top.clusters.map((cluster) => ({
      ...cluster,
      index: cluster.index % (clusters + 1),
    }));
    return [normaliseQcow1({ ...top, size, clusters: moved }), ...rest];
  }
  const moved = top.clusters.map((cluster) => ({
    ...cluster,
    index: cluster.index % (clusters + 1),
  }));
  return [normaliseQcow2({ ...top, size, clusters: moved }), ...rest];
}
