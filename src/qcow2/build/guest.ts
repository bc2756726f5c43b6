import type { ClusterView, GuestContent, View } from "../../format/mod.ts";
import { type Geometry, geometryOf } from "../geometry.ts";
import type { GuestCluster, Qcow2Model, SnapshotModel } from "../model.ts";
import { subclusterMasks, visibleBytes } from "./clusters.ts";
import { l1EntriesOf, virtualSizeOf } from "./sizes.ts";

/**
 * The guest content of the image without its backing file, computed from the model alone. A
 * snapshot is read as `qemu-img convert -l` does: through its own L1 table and with the current
 * size of the image, so VM state may be visible if the disk has grown since.
 *
 * @example
 * ```ts
 * import type { Qcow2Model } from "../model.ts";
 *
 * function* stored(model: Qcow2Model): Generator<[number, Uint8Array]> {
 *   const content = guestContent(model);
 *   for (const index of content.named) yield [index, content.at(index).bytes];
 * }
 * ```
 *
 * @param model as {@link normaliseQcow2} returns it
 */
export function guestContent(model: Qcow2Model, view: View = "active"): GuestContent {
  const geometry = geometryOf(model);
  const { clusterSize } = geometry;
  const virtualSize = virtualSizeOf(model.size);
  const clusters = clustersOf(model, view);
  const count = Math.ceil(virtualSize / clusterSize);
  return {
    clusterSize,
    virtualSize,
    named: [...clusters.keys()].filter((index) => index < count).sort((a, b) => a - b),
    at(index: number): ClusterView {
      const length = Math.min(clusterSize, virtualSize - index * clusterSize);
      const cluster = clusters.get(index);
      if (cluster === undefined) return { bytes: new Uint8Array(length), known: 0 };
      return {
        bytes: visibleBytes(cluster, length, geometry),
        known: subclusterMasks(cluster).known,
      };
    },
  };
}

/** Guest clusters by index. */
function clustersOf(model: Qcow2Model, view: View): Map<number, GuestCluster> {
  const active = new Map(model.clusters.map((cluster) => [cluster.index, cluster]));
  if (view === "active") return active;
  const snapshot = model.snapshots[view];
  if (snapshot === undefined) {
    throw new RangeError(`Cannot look at snapshot ${view}: there is none`);
  }
  const clusters = new Map(snapshot.clusters.map((cluster) => [cluster.index, cluster]));
  for (const index of snapshot.shared) {
    const shared = active.get(index);
    if (shared !== undefined && !clusters.has(index)) clusters.set(index, shared);
  }
  for (const cluster of vmStateClusters(snapshot, geometryOf(model))) {
    clusters.set(cluster.index, cluster);
  }
  return clusters;
}

/**
 * The VM state as guest clusters: after the disk, from the first L1 entry that the disk does not
 * use.
 */
export function vmStateClusters(
  snapshot: SnapshotModel,
  geometry: Geometry,
): GuestCluster[] {
  if (snapshot.vmState.length === 0) return [];
  const first = l1EntriesOf(BigInt(snapshot.size), geometry) * geometry.l2Entries;
  return snapshot.vmState.map((pattern, i) => ({ index: first + i, kind: "data", pattern }));
}
