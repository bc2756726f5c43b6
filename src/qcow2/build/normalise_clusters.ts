import { clamp } from "../../bytes/mod.ts";
import type { Pattern } from "../../format/mod.ts";
import type { GuestCluster, Qcow2Model } from "../model.ts";
import { compressPattern } from "./clusters.ts";
import { wrap } from "./normalise_values.ts";

/** The parts of a model that limit its clusters. */
export type ClusterRules = Pick<
  Qcow2Model,
  "version" | "clusterBits" | "extendedL2" | "compression" | "dataFile"
>;

/** Levels of deflate that compress at all, and of zstd that use no more memory than the image. */
const LEVEL_MAX = { deflate: 9, zstd: 19 } as const;

/**
 * Guest clusters of a disk of `count` clusters: each at most once, of a kind that the image can
 * store.
 */
export function normaliseClusters(
  clusters: readonly GuestCluster[],
  rules: ClusterRules,
  count: number,
): GuestCluster[] {
  const kept: GuestCluster[] = [];
  if (count === 0) return kept;
  const seen = new Set<number>();
  for (const cluster of clusters) {
    const index = wrap(cluster.index, count);
    if (seen.has(index)) continue;
    const possible = possibleCluster({ ...cluster, index }, rules);
    if (possible === undefined) continue;
    seen.add(index);
    kept.push(possible);
  }
  return kept;
}

/** A pattern with a seed that affects its bytes. */
export function normalisePattern({ kind, seed }: Pattern): Pattern {
  if (kind === "zero") return { kind, seed: 0 };
  return { kind, seed: kind === "noise" ? seed >>> 0 : seed & 0xff };
}

/** The cluster as the image can store it; `undefined` if nothing similar is possible. */
function possibleCluster(cluster: GuestCluster, rules: ClusterRules): GuestCluster | undefined {
  const { index } = cluster;
  switch (cluster.kind) {
    case "data":
      return { index, kind: "data", pattern: normalisePattern(cluster.pattern) };
    case "zero":
      return rules.version === 2 ? undefined : { index, kind: "zero" };
    case "zero-allocated":
      return possibleZero(index, normalisePattern(cluster.pattern), rules);
    case "compressed":
      return possibleCompressed(cluster, rules);
    case "subclusters":
      return possibleSubclusters(cluster, rules);
  }
}

function possibleZero(
  index: number,
  pattern: Pattern,
  { version, extendedL2, dataFile }: ClusterRules,
): GuestCluster | undefined {
  if (version === 2) return undefined;
  // An entry with the zero flag and offset 0 has no host cluster, even if 0 would be its offset.
  if (dataFile !== undefined && index === 0 && !extendedL2) return { index, kind: "zero" };
  return {
    index,
    kind: "zero-allocated",
    pattern: dataFile?.raw ? { kind: "zero", seed: 0 } : pattern,
  };
}

function possibleCompressed(
  cluster: GuestCluster & { kind: "compressed" },
  rules: ClusterRules,
): GuestCluster {
  const { index } = cluster;
  const pattern = normalisePattern(cluster.pattern);
  const level = clamp(cluster.level, 1, LEVEL_MAX[rules.compression]);
  const plain = { pattern, level };
  const { frames } = cluster;
  const framed = rules.compression === "zstd" && frames !== undefined
    ? { ...plain, frames }
    : plain;
  // Frames without compression are often too long.
  const how = rules.dataFile === undefined
    ? [framed, plain].find((each) => compressPattern(each, rules) !== undefined)
    : undefined;
  if (how === undefined) return { index, kind: "data", pattern };
  const gap = clamp(cluster.gap, 0, 2 ** rules.clusterBits - 1);
  return { index, kind: "compressed", ...how, gap };
}

function possibleSubclusters(
  cluster: GuestCluster & { kind: "subclusters" },
  { extendedL2 }: ClusterRules,
): GuestCluster {
  const { index } = cluster;
  const pattern = normalisePattern(cluster.pattern);
  if (!extendedL2) return { index, kind: "data", pattern };
  const allocated = cluster.allocated >>> 0;
  return {
    index,
    kind: "subclusters",
    allocated,
    zero: (cluster.zero & ~allocated) >>> 0,
    reserved: allocated !== 0 || cluster.reserved,
    pattern,
  };
}
