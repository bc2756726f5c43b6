import type { ByteSource } from "../bytes/mod.ts";
import type { Findings, Place, RuleId } from "../rules/mod.ts";

/**
 * What a run of guest bytes is made of in one layer:
 *
 * - `data`: bytes stored as they are;
 * - `compressed`: bytes stored compressed;
 * - `zero`: bytes that read as zeros whatever a backing file says;
 * - `unallocated`: bytes that this layer says nothing about.
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
  /** Where the bytes lie, or would lie, in the file that holds the data; where that is said at all. */
  readonly host?: number;
  /** The rule that makes reading fail here, found without reading the data. */
  readonly broken?: Broken;
}

/** A rule that is broken at a place: why an access fails. */
export interface Broken<Id extends RuleId = RuleId> {
  /** The slug of the rule. */
  readonly rule: Id;
  /** Where the rule is broken. */
  readonly place: Place;
  /** What is wrong, in one sentence. */
  readonly message: string;
}

/** An access to content that fails, as QEMU's would with an input/output error. */
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

/** What `check` counts. Zero counts are zero here; qemu-img leaves most of them out of its JSON. */
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

/** A backing file as an image names it. */
export interface BackingReference {
  /** As `nameOf` gives it. */
  readonly name: string;
  /** The format that the image says the backing file has; probed where absent. */
  readonly format?: string;
}

/** An external data file as an image names it. */
export interface DataFileReference {
  /** As `nameOf` gives it; a path, whatever it looks like. */
  readonly name?: string;
  /** The rule that is broken where the file cannot be opened. */
  readonly rule: RuleId;
}

/** JSON as `JSON.parse` gives it. */
export type Json = null | boolean | number | string | readonly Json[] | {
  readonly [key: string]: Json;
};

/** The part of `info` that one format knows, in qemu-img's shape. */
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

/** An internal snapshot, as a reader wants to know it. */
export interface SnapshotSummary {
  /** The id. */
  readonly id: string;
  /** The name. */
  readonly name: string;
  /**
   * Virtual size in bytes when it was taken. Its content is read at the image's present size, as QEMU
   * does: what is longer is cut, what is shorter goes on as the snapshot's tables say.
   */
  readonly virtualSize: number;
}

/** A persistent bitmap: which parts of the disk were written to. */
export interface BitmapSummary {
  /** The name. */
  readonly name: string;
  /** Bytes that one bit stands for. */
  readonly granularity: number;
  /** It was not saved: its bits mean nothing. */
  readonly inUse: boolean;
  /** It tracks writes. */
  readonly auto: boolean;
  /** The ranges of guest bytes whose bits are set, in order. */
  ranges(): Iterable<{ readonly start: number; readonly length: number }>;
}

/**
 * One image file by itself: decoded, judged as far as an open looks, and readable. It never opens
 * another file; a chain of layers is put together above.
 */
export interface Layer {
  /** Name of the format. */
  readonly format: string;
  /** Bytes that a guest sees; a multiple of 512. */
  readonly virtualSize: number;
  /** Size of a cluster in bytes. */
  readonly clusterSize: number;
  /** The backing file, if there is one. */
  readonly backing?: BackingReference;
  /** The external data file, if there is one. */
  readonly dataFile?: DataFileReference;
  /** Content needs a passphrase. */
  readonly encrypted: boolean;
  /** A passphrase was given that opens the content, or that any content is decrypted with. */
  readonly unlocked?: boolean;
  /** The image says that its refcounts may be stale. */
  readonly dirty: boolean;
  /** Hands over the opened external data file. */
  attachDataFile?(source: ByteSource): void;
  /** What holds the data where it is not the image file itself. */
  readonly dataFileSource?: ByteSource | undefined;
  /**
   * What `[from, to)` is made of, in order and without gaps. Cost follows what is allocated. A run
   * with `broken` set is as long as the entry that is at fault.
   */
  runs(from: number, to: number): Iterable<Run>;
  /** Bytes of tables that `runs` has read so far, where that can be much more than what is stored. */
  readonly tableBytes?: number;
  /**
   * Reads bytes of a run of kind `data` or `compressed`, from `skip` bytes into the run on.
   *
   * @throws {AccessError} where QEMU's read fails
   */
  readRun(run: Run, skip: number, target: Uint8Array): void;
  /** The members of qemu-img's `info` that this layer decides. */
  info(): LayerInfo;
  /** How many host clusters have a refcount, counted up to `limit`; where the format has refcounts. */
  clustersInUse?(limit: number): number;
  /** The internal snapshots, where the format has them. */
  readonly snapshots?: readonly SnapshotSummary[];
  /** The persistent bitmaps, where the format has them. */
  readonly bitmaps?: readonly BitmapSummary[];
  /** The image as one of its snapshots, by id or else by name; `undefined` where there is none. */
  snapshot?(name: string): Layer | undefined;
  /** Judges everything that an open does not look at: tables, entries, compressed data. */
  judge(findings: Findings): void;
  /** Runs `check` and adds what it finds; `undefined` where qemu-img's check gives no counts. */
  check?(findings: Findings): CheckCounts | undefined;
}
