import { clamp, roundDown, SECTOR, utf8 } from "../../bytes/mod.ts";
import {
  type FarHole,
  type Pattern,
  REQUEST_END_MAX,
  REQUEST_MAX,
  soundHole,
} from "../../format/mod.ts";
import { type Geometry, geometryOf, l1Bytes, l1Needed } from "../geometry.ts";
import { EXACT_MAX, FAR_ROOM, LONG_L1 } from "./place.ts";
import type { GuestCluster, LegacyEncryption, Placement, Qcow1Model } from "../model.ts";
import { limits } from "../structures.ts";

/** The longest run of free sectors, to keep images small. */
const HOLE_MAX = 64;
const GAP_MAX = 4096;
/** A hole leaves room for everything that is before it. */
const FAR_MIN = 2 ** 28;

/**
 * The most similar model that gives a valid image: numbers are wrapped into their ranges, clusters
 * are sorted, and clusters without an entry in the L1 table or with a repeated index are dropped.
 * Idempotent.
 */
export function normaliseQcow1(model: Qcow1Model): Qcow1Model {
  const clusterBits = clamp(model.clusterBits, limits.clusterBits.min, limits.clusterBits.max);
  const l2Bits = clamp(model.l2Bits, limits.l2Bits.min, limits.l2Bits.max);
  const geometry = geometryOf({ clusterBits, l2Bits });
  const size = soundSize(model.size, geometry);
  const name = soundName(model.backing?.name ?? "");
  const { encryption } = model;
  const l1Entries = Number(l1Needed(size, geometry));
  return {
    format: "qcow",
    clusterBits,
    l2Bits,
    size,
    mtime: model.mtime >>> 0,
    padding: model.padding & 0xffff,
    clusters: soundClusters(model.clusters, l1Entries * geometry.l2Entries),
    ...(name === "" ? {} : { backing: { name } }),
    ...(encryption === undefined ? {} : { encryption: soundEncryption(encryption) }),
    placement: soundPlacement(model.placement, { geometry, l1Length: l1Bytes(l1Entries) }),
  };
}

/** Limits the size so that one request can read the L1 table. */
function soundSize(size: bigint, geometry: Geometry): bigint {
  const max = BigInt(Math.floor(REQUEST_MAX / l1Bytes(1))) * BigInt(geometry.l2Coverage);
  if (size > max) return max;
  return size < BigInt(limits.size.min) ? BigInt(limits.size.min) : size;
}

/**
 * A name ends at its first NUL and has at most 1023 bytes, with no partial character at its end.
 */
function soundName(name: string): string {
  const [text = ""] = name.split("\0");
  let end = 0;
  let length = 0;
  for (const character of text) {
    length += utf8(character).length;
    if (length > limits.nameLength.max) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/** QEMU ends a passphrase at its first NUL, and accepts only UTF-8. */
function soundEncryption({ passphrase }: LegacyEncryption): LegacyEncryption {
  return { kind: "aes", passphrase: passphrase.replaceAll("\0", "").toWellFormed() };
}

function soundClusters(clusters: readonly GuestCluster[], count: number): GuestCluster[] {
  const byIndex = new Map<number, GuestCluster>();
  for (const cluster of clusters) {
    if (cluster.index < count && !byIndex.has(cluster.index)) {
      byIndex.set(cluster.index, soundCluster(cluster));
    }
  }
  return [...byIndex.values()].sort((a, b) => a.index - b.index);
}

function soundCluster(cluster: GuestCluster): GuestCluster {
  const pattern: Pattern = { kind: cluster.pattern.kind, seed: cluster.pattern.seed >>> 0 };
  if (cluster.kind === "data") return { index: cluster.index, kind: "data", pattern };
  const level = cluster.level === -1 ? -1 : clamp(cluster.level, 1, 9);
  const gap = clamp(cluster.gap, 0, GAP_MAX);
  return {
    index: cluster.index,
    kind: "compressed",
    pattern,
    level,
    gap,
    aligned: cluster.aligned,
  };
}

function soundPlacement(
  placement: Placement,
  { geometry, l1Length }: { geometry: Geometry; l1Length: number },
): Placement {
  const sectors = geometry.clusterSize / 512;
  const far = farHole(placement.far, geometry);
  const sound = {
    seed: placement.seed >>> 0,
    holes: placement.holes.map((hole) => clamp(hole, 0, HOLE_MAX)),
    l1Skew: clamp(placement.l1Skew, 0, 7),
    l2Skews: placement.l2Skews.map((skew) => clamp(skew, 0, geometry.clusterSize - 1)),
    clusterSkews: placement.clusterSkews.map((skew) => clamp(skew, 0, sectors - 1)),
    cutTail: placement.cutTail,
  };
  // A long table is behind everything else.
  if (far === undefined || l1Length > LONG_L1) return sound;
  // Tables that are alike are aligned alike.
  const l2Skews = far.alike === true ? [] : sound.l2Skews;
  if (far.offset + FAR_ROOM <= EXACT_MAX) return { ...sound, l2Skews, far };
  return { ...sound, l1Skew: 0, l2Skews: [], clusterSkews: [], cutTail: false, far };
}

/** From 2^62 on, numbers are multiples of 1024, and clusters of 512 bytes may need others. */
function farHole(far: FarHole | undefined, { clusterSize }: Geometry): FarHole | undefined {
  if (far === undefined) return undefined;
  const unit = Math.max(2 * SECTOR, clusterSize);
  const last = clusterSize > SECTOR ? Number(REQUEST_END_MAX) : 2 ** 62;
  const offset = roundDown(Math.min(far.offset, last - FAR_ROOM), unit);
  return offset >= FAR_MIN ? soundHole(far, offset) : undefined;
}
