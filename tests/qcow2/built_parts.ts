/** The parts that models written by hand are put together from. */
import { plainQcow2 } from "../../src/qcow2/build/mod.ts";
import type {
  BitmapModel,
  GuestCluster,
  Placement,
  Qcow2Model,
  SnapshotModel,
} from "../../src/qcow2/model.ts";

/** QEMU's order, with no spare space. */
export const placement: Placement = plainQcow2.placement;

/** An empty disk of twelve clusters of 512 bytes. */
export const plain: Qcow2Model = { ...plainQcow2, clusterBits: 9, size: 6144n };
/** The same in version 2. */
export const v2: Qcow2Model = { ...plain, version: 2, headerLength: 72 };
/** The same with subclusters, of 512 bytes each. */
export const extended: Qcow2Model = { ...plain, clusterBits: 14, size: 196_608n, extendedL2: true };

/** A cluster of noise. */
export function data(index: number, seed = index): GuestCluster {
  return { index, kind: "data", pattern: { kind: "noise", seed: seed % 2 ** 32 } };
}

/** Compresses to a few dozen bytes. */
export function text(index: number, gap = 0): GuestCluster {
  return { index, kind: "compressed", pattern: { kind: "text", seed: index % 256 }, level: 6, gap };
}

/** Takes more than half of a cluster of 512 bytes. */
export function ramp(index: number): GuestCluster {
  return { index, kind: "compressed", pattern: { kind: "ramp", seed: index }, level: 6, gap: 0 };
}

/** A cluster of zeros. */
export function zero(index: number, allocated = false): GuestCluster {
  return allocated
    ? { index, kind: "zero-allocated", pattern: { kind: "fill", seed: 238 } }
    : { index, kind: "zero" };
}

/** A cluster by its subclusters. */
export function parts(
  index: number,
  masks: Partial<GuestCluster & { kind: "subclusters" }>,
): GuestCluster {
  const pattern = { kind: "noise", seed: index } as const;
  return { index, kind: "subclusters", allocated: 0, zero: 0, reserved: false, pattern, ...masks };
}

/** A snapshot of a disk of 6144 bytes. */
export function snapshot(id: string, changes: Partial<SnapshotModel> = {}): SnapshotModel {
  return {
    id,
    name: `snapshot ${id}`,
    extraSize: 24,
    size: 6144,
    dateSec: 1_700_000_000,
    vmClockNsec: 1_234_567_890_123,
    icount: 2n ** 64n - 1n,
    clusters: [],
    shared: [],
    vmState: [],
    ...changes,
  };
}

/** A bitmap with noise in it. */
export function bitmap(name: string, changes: Partial<BitmapModel> = {}): BitmapModel {
  return {
    name,
    granularityBits: 9,
    auto: false,
    inUse: false,
    table: ["data"],
    seed: 5,
    ...changes,
  };
}

/** The first clusters of the disk as data. */
export function first(count: number): GuestCluster[] {
  return Array.from({ length: count }, (_, i) => data(i));
}
