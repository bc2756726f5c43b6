import * as fc from "fast-check";
import {
  type BitmapModel,
  limits,
  NO_ICOUNT,
  type Placement,
  type SnapshotModel,
} from "../../../src/qcow2/mod.ts";
import { guestClusters, guestIndices } from "./clusters.ts";
import { type HoleDraw, holeDraws, mostly, patterns, word64, words } from "../../generate/mod.ts";

/** A snapshot, and whether it has all of the active image's clusters. */
export interface SnapshotDraw extends SnapshotModel {
  readonly sharesAll: boolean;
  /** Its size is the image's. */
  readonly sameSize: boolean;
  /** Its name is the id of the next one. */
  readonly namedAsNext: boolean;
}

/** Sizes and times up to where a number stops being exact. */
const CLOCK_MAX = Number.MAX_SAFE_INTEGER;

/** A snapshot of any image. */
export function snapshotDraws(): fc.Arbitrary<SnapshotDraw> {
  return fc.record({
    id: words(limits.listedId),
    name: words(limits.listedName),
    extraSize: mostly(24, fc.oneof(fc.nat(40), fc.nat(limits.snapshotExtra))),
    size: fc.oneof(fc.nat(1 << 20), fc.nat(), fc.maxSafeNat()),
    dateSec: mostly(0, fc.nat(0xffffffff)),
    vmClockNsec: mostly(0, fc.nat(CLOCK_MAX)),
    icount: fc.oneof({ withCrossShrink: true }, word64(), fc.constant(NO_ICOUNT)),
    clusters: guestClusters(),
    shared: fc.array(guestIndices(), { maxLength: 12 }),
    vmState: mostly([], fc.array(patterns(), { maxLength: 3 })),
    sharesAll: fc.boolean(),
    sameSize: mostly(true, fc.constant(false), 1),
    namedAsNext: mostly(false, fc.constant(true)),
  });
}

/** A bitmap of any image. */
export function bitmapModels(): fc.Arbitrary<BitmapModel> {
  return fc.record({
    name: words(limits.bitmapName),
    granularityBits: fc.oneof(
      fc.integer({ min: limits.granularityBits.min, max: 16 }),
      fc.integer(limits.granularityBits),
    ),
    auto: fc.boolean(),
    inUse: mostly(false, fc.constant(true)),
    table: fc.array(fc.constantFrom("zeros", "ones", "data"), { maxLength: 5 }),
    seed: fc.nat(0xffff),
  });
}

/** The places of the parts of any image. */
export function placements(): fc.Arbitrary<Placement> {
  return fc.record({
    seed: mostly(0, fc.nat(), 1),
    holes: fc.array(mostly(0, fc.oneof(fc.nat(3), fc.nat(300)), 2), { maxLength: 16 }),
    leaks: mostly(0, fc.nat(4)),
    spareL1: mostly(0, fc.oneof(fc.nat(5), fc.nat(600))),
    spareReftable: mostly(0, fc.nat(3)),
    cutTail: fc.boolean(),
  });
}

/** A hole that reaches far, and the clusters with which entries can name what is behind it. */
export interface FarDraw extends HoleDraw {
  readonly clusterBits: number;
}

/** Above bit 47 is where masks of offsets go wrong, and there only large clusters are counted. */
const FARTHEST_CLUSTERS = 14;

/** A hole that reaches far. */
export function farDraws(clusterBitsMax: number): fc.Arbitrary<FarDraw> {
  const bitsFrom = (min: number): fc.Arbitrary<number> =>
    fc.integer({ min: Math.min(min, clusterBitsMax), max: clusterBitsMax });
  const clusterBits = fc.oneof(
    { withCrossShrink: true },
    bitsFrom(limits.clusterBits.min),
    bitsFrom(FARTHEST_CLUSTERS),
  );
  const holes = holeDraws({ most: 56, masks: 48, unit: 512 });
  return fc.tuple(holes, clusterBits).map(
    ([hole, clusterBits]) => ({ ...hole, clusterBits }),
    (draw) => {
      const { clusterBits, ...hole } = draw as FarDraw;
      return [hole, clusterBits];
    },
  );
}
