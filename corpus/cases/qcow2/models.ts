/** The models that cases of qcow2 start from, and their common parts. */

import type { Pattern } from "../../../src/format/mod.ts";
import { normaliseQcow2, plainQcow2 } from "../../../src/qcow2/build/mod.ts";
import type {
  BitmapModel,
  GuestCluster,
  Qcow2Model,
  SnapshotModel,
} from "../../../src/qcow2/mod.ts";
import type { RawModel } from "../../../src/raw/mod.ts";
import { type CaseEdit, end, flip, point, set } from "../edit.ts";

const noise = (seed: number): Pattern => ({ kind: "noise", seed });

/** A cluster of data. */
export function data(index: number): GuestCluster {
  return { index, kind: "data", pattern: noise(index + 1) };
}

/** A compressed cluster. */
export function compressed(index: number): GuestCluster {
  return { index, kind: "compressed", pattern: { kind: "text", seed: index }, level: 6, gap: 0 };
}

/** A cluster that reads as zeros and has a host cluster. */
export function reserved(index: number): GuestCluster {
  return { index, kind: "zero-allocated", pattern: noise(index + 1) };
}

/** A snapshot of an empty disk of `size` bytes. */
export function snapshot(
  number: number,
  size: number,
  parts: Partial<SnapshotModel> = {},
): SnapshotModel {
  return {
    id: `${number}`,
    name: `s${number}`,
    extraSize: 16,
    size,
    dateSec: 0,
    vmClockNsec: 0,
    icount: 0n,
    clusters: [],
    shared: [],
    vmState: [],
    ...parts,
  };
}

/** A bitmap whose first cluster is stored. */
export function bitmap(name: string, parts: Partial<BitmapModel> = {}): BitmapModel {
  return {
    name,
    granularityBits: 16,
    auto: false,
    inUse: false,
    table: ["data"],
    seed: 1,
    ...parts,
  };
}

/** A raw file whose bytes are all 7. */
export function filled(size: number): RawModel {
  return { format: "raw", size, pattern: { kind: "fill", seed: 7 } };
}

const SIZE = 65536n;
/** The longest tables that QEMU accepts. */
const LIMITS = { l1Bytes: 32 << 20 };

/** A version 3 image of 16 clusters of 4 KiB, the first two with data. */
export function small(
  { placement, ...parts }: Partial<Omit<Qcow2Model, "placement">> & {
    readonly placement?: Partial<Qcow2Model["placement"]>;
  } = {},
): Qcow2Model {
  const model: Qcow2Model = {
    ...plainQcow2,
    clusterBits: 12,
    size: SIZE,
    clusters: [data(0), data(1)],
    ...parts,
    placement: { ...plainQcow2.placement, ...placement },
  };
  return normaliseQcow2(model, LIMITS);
}

/** An image with a disk of 0 bytes, which needs no tables. */
export function empty(parts: Parameters<typeof small>[0] = {}): Qcow2Model {
  return small({ size: 0n, clusters: [], ...parts });
}

/** A version 3 image of four clusters of 16 KiB with subclusters. */
export function extended(parts: Parameters<typeof small>[0] = {}): Qcow2Model {
  return small({ clusterBits: 14, extendedL2: true, ...parts });
}

/** Points an L2 or L1 entry to a place, with the copied flag. */
export function lead(path: string, at: string): CaseEdit[] {
  return [point(path, at), flip(path, COPIED)];
}

/** A snapshot table of so many entries of zeros, past the end of the file. */
export function emptySnapshots(count: number): CaseEdit[] {
  return [end("/header/snapshots_offset"), set("/header/nb_snapshots", count)];
}

/** The bit number of the copied flag in an entry. */
export const COPIED = 63;
/** The bit number of the flag of a compressed cluster. */
export const COMPRESSED = 62;
/** The bit number of 512 bytes, which is not a boundary of clusters of 4 KiB. */
export const OFF_CLUSTER = 9;
/** 2^63 - 2^30: the largest offset that QEMU's block layer reads. */
export const END = 0x7fffffffc0000000n;
