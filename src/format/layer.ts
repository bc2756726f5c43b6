import type { ByteSource } from "../bytes/mod.ts";
import type { DamageSummary } from "./damage.ts";
import type { Findings, Place, RuleId } from "../rules/mod.ts";

/**
 * The kind of a run of guest bytes in one layer:
 *
 * - `data`: bytes stored as they are;
 * - `compressed`: bytes stored compressed;
 * - `zero`: bytes that read as zeros regardless of the backing file;
 * - `unallocated`: bytes that this layer does not define.
 */
export type RunKind = "data" | "compressed" | "zero" | "unallocated";

/**
 * A run of guest bytes of one kind. Positions are byte offsets in numbers: they are multiples of 512
 * up to 2^63, and such a multiple is exact in a number.
 */
export interface Run {
  /** First byte on the virtual disk. */
  readonly start: number;
  /** Length in bytes. */
  readonly length: number;
  /** What it reads as. */
  readonly kind: RunKind;
  /** Offset of the bytes in the file that contains the data, if known. */
  readonly host?: number;
  /** The rule that makes reading fail, if that is known without reading the data. */
  readonly broken?: Broken;
}

/** A rule that is broken at a place and makes an access fail. */
export interface Broken<Id extends RuleId = RuleId> {
  /** The slug of the rule. */
  readonly rule: Id;
  /** Where the rule is broken. */
  readonly place: Place;
  /** What is wrong, in one sentence. */
  readonly message: string;
}

/** A failed access to content. QEMU reports an input/output error. */
export class AccessError extends Error {
  /** The rule that is broken, and where. */
  readonly broken: Broken;

  /** An access that breaks this rule. */
  constructor(broken: Broken) {
    super(broken.message);
    this.name = "AccessError";
    this.broken = broken;
  }
}

/** Receives how much of some work is done, from 0 to 1. */
export type Watch = (done: number) => void;

/** The counts of `check`. Zero counts are included here; qemu-img omits most of them in its JSON. */
export interface CheckCounts {
  /** Number of corruptions. */
  readonly corruptions: number;
  /** Number of leaked clusters. */
  readonly leaks: number;
  /** Number of errors that stopped a part of the check. */
  readonly checkErrors: number;
  /** End of the last cluster in use, in bytes. */
  readonly imageEndOffset: number;
  /** Clusters of the virtual disk. */
  readonly totalClusters: number;
  /** Allocated clusters. */
  readonly allocatedClusters: number;
  /** Clusters that do not follow the one before them in the file. */
  readonly fragmentedClusters: number;
  /** Compressed clusters. */
  readonly compressedClusters: number;
}

/** A reference to a backing file in an image. */
export interface BackingReference {
  /** As returned by `nameOf`. */
  readonly name: string;
  /** Format of the backing file according to the image; probed if absent. */
  readonly format?: string;
}

/** A reference to an external data file in an image. */
export interface DataFileReference {
  /** As returned by `nameOf`; always a path. */
  readonly name?: string;
  /** The rule that is broken if the file cannot be opened. */
  readonly rule: RuleId;
}

/** JSON as returned by `JSON.parse`. */
export type Json = null | boolean | number | string | readonly Json[] | {
  readonly [key: string]: Json;
};

/** The part of `info` that depends on the format, in qemu-img's shape. */
export interface LayerInfo {
  /** Size of a cluster in bytes. */
  readonly "cluster-size"?: number;
  /** Whether the dirty bit is set. */
  readonly "dirty-flag": boolean;
  /** Whether the content is encrypted. */
  readonly encrypted?: true;
  /** The internal snapshots, which may be made while they are read. */
  readonly snapshots?: Iterable<Json>;
  /** Fields of this format only. */
  readonly "format-specific"?: {
    readonly type: string;
    readonly data: { readonly [key: string]: Json };
  };
}

/** An internal snapshot. */
export interface SnapshotSummary {
  /** The id. */
  readonly id: string;
  /** The name. */
  readonly name: string;
  /**
   * Virtual size in bytes when it was taken. As in QEMU, its content is read with the current size of
   * the image: longer content is cut, and shorter content is extended according to the snapshot's tables.
   */
  readonly virtualSize: number;
}

/** A persistent bitmap, which marks the parts of the disk that were written to. */
export interface BitmapSummary {
  /** The name. */
  readonly name: string;
  /** Number of guest bytes that one bit represents. */
  readonly granularity: number;
  /** It was not saved, so its bits are invalid. */
  readonly inUse: boolean;
  /** It tracks writes. */
  readonly auto: boolean;
  /** The ranges of guest bytes whose bits are set, in order. */
  ranges(): Iterable<{ readonly start: number; readonly length: number }>;
}

/**
 * A decoded and readable image file, judged by what is checked on open. It never opens other files;
 * backing chains are built by higher layers.
 */
export interface Layer {
  /** Name of the format. */
  readonly format: string;
  /** Length of the guest's disk in bytes; a multiple of 512. */
  readonly virtualSize: number;
  /** Size of a cluster in bytes. */
  readonly clusterSize: number;
  /** The backing file, if there is one. */
  readonly backing?: BackingReference;
  /** The external data file, if there is one. */
  readonly dataFile?: DataFileReference;
  /** Content requires a passphrase. */
  readonly encrypted: boolean;
  /** A passphrase was given and opens the content, or cannot be verified. */
  readonly unlocked?: boolean;
  /** The image is marked as having stale refcounts. */
  readonly dirty: boolean;
  /** Sets the opened external data file. */
  attachDataFile?(source: ByteSource): void;
  /** The external data file, if there is one. */
  readonly dataFileSource?: ByteSource | undefined;
  /**
   * The runs of `[from, to)`, in order and without gaps. The cost depends on the allocated content. A
   * run with `broken` covers the invalid entry.
   */
  runs(from: number, to: number): Iterable<Run>;
  /** Bytes of tables that `runs` has read so far, for formats in which tables can be shared. */
  readonly tableBytes?: number;
  /**
   * Reads bytes of a run of kind `data` or `compressed`, starting `skip` bytes into the run.
   *
   * @throws {AccessError} if the read fails in QEMU
   */
  readRun(run: Run, skip: number, target: Uint8Array): void;
  /** The members of qemu-img's `info` that this layer decides. */
  info(): LayerInfo;
  /** Number of host clusters with a nonzero refcount, up to `limit`, if the format has refcounts. */
  clustersInUse?(limit: number): number;
  /** The internal snapshots, if the format has them. */
  readonly snapshots?: readonly SnapshotSummary[];
  /** The persistent bitmaps, if the format has them. */
  readonly bitmaps?: readonly BitmapSummary[];
  /** The image as one of its snapshots, by id or else by name; `undefined` if there is none. */
  snapshot?(name: string): Layer | undefined;
  /** Judges everything that is not checked on open: tables, entries, compressed data. */
  judge(findings: Findings, options?: { readonly watch?: Watch }): void;
  /** A summary of what is wrong with the tables; `undefined` if there is nothing. */
  damage?(): DamageSummary | undefined;
  /** Runs `check` and adds its findings; `undefined` if qemu-img's check returns no counts. */
  check?(findings: Findings, options?: { readonly watch?: Watch }): CheckCounts | undefined;
}
