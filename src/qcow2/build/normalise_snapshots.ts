import { clamp } from "../../bytes/mod.ts";
import type { Geometry } from "../geometry.ts";
import type { GuestCluster, SnapshotModel } from "../model.ts";
import { type ClusterRules, normaliseClusters, normalisePattern } from "./normalise_clusters.ts";
import { cleanText, uniqueName, wrap } from "./normalise_values.ts";
import { limits } from "../structures.ts";
import { virtualSizeOf, wrapSize } from "./sizes.ts";

const VM_STATE_MAX = 1024;

/** The parts of an otherwise normalised image that its snapshots depend on. */
export interface SnapshotRules extends ClusterRules {
  readonly size: bigint;
  /** The active image's clusters. */
  readonly clusters: readonly GuestCluster[];
  /** Clusters of the active image's disk. */
  readonly count: number;
  /** Larger virtual sizes wrap around. */
  readonly sizeMax: bigint;
}

/** Snapshots that the image can store: their ids are distinct, and no refcount overflows. */
export function normaliseSnapshots(
  snapshots: readonly SnapshotModel[],
  rules: SnapshotRules,
  geometry: Geometry,
): SnapshotModel[] {
  if (rules.dataFile !== undefined || snapshots.length === 0) return [];
  const references = new Map(rules.clusters.map(({ index }) => [index, 1]));
  const ids = new Set<string>();
  return snapshots.slice(0, limits.snapshots).map((snapshot) =>
    normaliseSnapshot(snapshot, { rules, geometry, references, ids })
  );
}

interface Context {
  readonly rules: SnapshotRules;
  readonly geometry: Geometry;
  /** The number of layers so far that use each cluster of the active image. */
  readonly references: Map<number, number>;
  readonly ids: Set<string>;
}

function normaliseSnapshot(snapshot: SnapshotModel, context: Context): SnapshotModel {
  const { rules, geometry, ids } = context;
  const extraSize = clamp(
    snapshot.extraSize,
    rules.version === 3 ? limits.snapshotExtraV3 : 0,
    limits.snapshotExtra,
  );
  // If the table does not store it, QEMU uses the current size.
  const size = extraSize < limits.snapshotExtraV3
    ? virtualSizeOf(rules.size)
    : virtualSizeOf(wrapSize(wholeSize(snapshot.size), rules.sizeMax));
  const count = Math.ceil(size / geometry.clusterSize);
  const clusters = normaliseClusters(snapshot.clusters, rules, count);
  return {
    id: uniqueName(cleanText(snapshot.id, limits.listedId), ids, limits.listedId),
    name: cleanText(snapshot.name, limits.listedName),
    extraSize,
    size,
    dateSec: clamp(snapshot.dateSec, 0, 0xffffffff),
    vmClockNsec: clamp(snapshot.vmClockNsec, 0, Number.MAX_SAFE_INTEGER),
    icount: BigInt.asUintN(64, snapshot.icount),
    clusters,
    shared: normaliseShared(snapshot.shared, { context, clusters, count }),
    vmState: snapshot.vmState.slice(0, VM_STATE_MAX).map(normalisePattern),
  };
}

/** The shared clusters that exist, are not the snapshot's own, and can have one more reference. */
function normaliseShared(
  shared: readonly number[],
  { context, clusters, count }: {
    context: Context;
    clusters: readonly GuestCluster[];
    count: number;
  },
): number[] {
  const { references, geometry, rules } = context;
  const kept: number[] = [];
  if (rules.count === 0) return kept;
  const seen = new Set(clusters.map(({ index }) => index));
  for (const named of shared) {
    const index = wrap(named, rules.count);
    const found = references.get(index);
    if (found === undefined || index >= count || seen.has(index)) continue;
    if (BigInt(found) >= geometry.refcountMax) continue;
    seen.add(index);
    references.set(index, found + 1);
    kept.push(index);
  }
  return kept;
}

/** A size that may be a fraction, as an integer. */
function wholeSize(size: number): bigint {
  return Number.isFinite(size) ? BigInt(Math.trunc(size)) : 0n;
}
