/** What a row of the rule tables is: an image that breaks a rule, and the nearest one that keeps it. */

import type { Edit } from "../../fuzz/mutate/mod.ts";
import type { Pattern } from "../../src/format/mod.ts";
import type { Qcow1Model } from "../../src/qcow1/mod.ts";
import type { GuestCluster, Qcow2Model, SnapshotModel } from "../../src/qcow2/model.ts";
import type { RawModel } from "../../src/raw/mod.ts";
import type { RuleId } from "../../src/rules/mod.ts";

/** An edit, or a change that knows a little more about the image that it changes. */
export type Change =
  | Edit
  /** A field is given the length of the file, rounded up to whole clusters, and so much more. */
  | { readonly op: "end"; readonly path: string; readonly delta: bigint }
  /** The file ends so many bytes behind the start of a place. */
  | { readonly op: "cut"; readonly at: string; readonly delta: number }
  /** The file is made whole clusters long, and so many clusters longer. */
  | { readonly op: "grow"; readonly clusters: number }
  /** The file is made so long, with nothing stored in what is added. Done last. */
  | { readonly op: "lengthen"; readonly size: number }
  /** Bytes are put over those of a place, or of the file where no place is named. Done last. */
  | {
    readonly op: "bytes";
    readonly at?: string;
    readonly skip: number;
    readonly bytes: Uint8Array;
  }
  /** The stored refcount, of 16 bits, of the host cluster that a place starts in. Done last. */
  | { readonly op: "refcount"; readonly of: string; readonly value: number };

/** Files that lie beside an image. */
export type Files = Readonly<Record<string, Uint8Array>>;

/** What qemu is asked about the two images beyond what it is asked about every image. */
export interface Live {
  /** A write by qemu-io that is refused, and marks the image as corrupt, where the rule is broken. */
  readonly writes?: string;
  /** An option of the qcow2 driver that the write needs. */
  readonly overlapCheck?: "all";
  /** `info` crashes on the broken image before qemu 10, and refuses it from there on. */
  readonly infoCrashes?: true;
  /** The opening at which qemu says something of the broken image, and what. */
  readonly warns?: { readonly at: "info" | "content"; readonly says: RegExp };
  /** What is not asked of qemu of either image, or of the one that keeps the rule, and why. */
  readonly not?: {
    readonly questions: readonly Question[];
    readonly of?: "kept";
    readonly because: string;
  };
}

/** What qemu is asked about every image. */
export type Question = "info" | "read" | "check" | "content" | "write";

/** What an image can be built of. */
export type Model = Qcow2Model | Qcow1Model | RawModel;

/** Two images that differ in one rule. */
export interface RuleRow {
  readonly rule: RuleId;
  /** What the two differ in; the changes say it where this does not. */
  readonly about?: string;
  readonly base: Model;
  readonly breaks: readonly Change[];
  readonly keeps: readonly Change[];
  /** What the one that keeps the rule is built of, where it is not the base. */
  readonly kept?: Model;
  /** The format is not told but probed, and nothing else is asked of qemu. */
  readonly probed?: true;
  /** Other rules that the one that keeps this rule breaks. */
  readonly leaves?: readonly RuleId[];
  readonly files?: Files;
  readonly live?: Live;
}

/** A row without its rule and with everything left out that goes without saying. */
export interface RowParts extends Partial<Omit<RuleRow, "rule">> {
  readonly breaks: readonly Change[];
}

/** A row: of two small images, of which the one that keeps the rule has no changes. */
export function row(rule: RuleId, parts: RowParts): RuleRow {
  return { rule, base: small(), keeps: [], ...parts };
}

/** A row of two images that differ in the value of one field. */
export function field(
  rule: RuleId,
  path: string,
  values: Partial<Omit<RuleRow, "rule">> & { bad: bigint | number; good: bigint | number },
): RuleRow {
  const { bad, good, ...parts } = values;
  return row(rule, { ...parts, breaks: [set(path, bad)], keeps: [set(path, good)] });
}

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

/** A snapshot of a disk of `size` bytes with nothing in it. */
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

const SIZE = 65536n;

/** A version 3 image of 16 clusters of 4 KiB, of which the first two hold data. */
export function small(
  { placement, ...parts }: Partial<Omit<Qcow2Model, "placement">> & {
    readonly placement?: Partial<Qcow2Model["placement"]>;
  } = {},
): Qcow2Model {
  return {
    format: "qcow2",
    version: 3,
    clusterBits: 12,
    size: SIZE,
    refcountOrder: 4,
    extendedL2: false,
    compression: "deflate",
    headerLength: 112,
    dirty: false,
    corrupt: false,
    lazyRefcounts: false,
    unknownCompatible: 0n,
    unknownAutoclear: 0n,
    featureTable: false,
    unknownExtensions: [],
    clusters: [data(0), data(1)],
    snapshots: [],
    bitmaps: [],
    ...parts,
    placement: {
      seed: 0,
      holes: [],
      leaks: 0,
      spareL1: 0,
      spareReftable: 0,
      cutTail: false,
      ...placement,
    },
  };
}

/** An image without anything in it and without a disk, so that no table is needed. */
export function empty(parts: Parameters<typeof small>[0] = {}): Qcow2Model {
  return small({ size: 0n, clusters: [], ...parts });
}

/** A version 3 image of four clusters of 16 KiB with subclusters. */
export function extended(parts: Parameters<typeof small>[0] = {}): Qcow2Model {
  return small({ clusterBits: 14, extendedL2: true, ...parts });
}

export function set(path: string, value: bigint | number): Change {
  return { op: "set", path, value: BigInt(value) };
}

export function flip(path: string, bit: number): Change {
  return { op: "flip", path, bit };
}

export function point(path: string, at: string, delta = 0): Change {
  return { op: "point", path, at, delta };
}

/** See {@link Change}. */
export function end(path: string, delta: bigint | number = 0): Change {
  return { op: "end", path, delta: BigInt(delta) };
}

/** Bytes, or the codes of characters, over those of a place. */
export function bytes(at: string, content: string | readonly number[], skip = 0): Change {
  const put = typeof content === "string"
    ? new TextEncoder().encode(content)
    : Uint8Array.from(content);
  return { op: "bytes", at, skip, bytes: put };
}

/** An L2 or L1 entry is made to lead to a place, with the copied flag. */
export function lead(path: string, at: string): Change[] {
  return [point(path, at), flip(path, COPIED)];
}

/** Number of the copied flag in an entry. */
export const COPIED = 63;
/** Number of the flag of a compressed cluster. */
export const COMPRESSED = 62;
/** Number of the bit of 512 bytes, off the boundaries of clusters of 4 KiB. */
export const OFF_CLUSTER = 9;
/** 2^63 - 2^30: the end of what QEMU's block layer reads. */
export const END = 0x7fffffffc0000000n;
