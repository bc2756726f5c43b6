import type { ByteSource } from "../bytes/mod.ts";
import type { Findings, Place, RuleId } from "../rules/mod.ts";
import type { Anatomy, AnatomyOptions } from "./anatomy.ts";

/** The formats that the reference implementation reads. */
export type FormatName = "raw" | "qcow" | "qcow2" | "luks" | "luks2";

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
  readonly start: number;
  readonly length: number;
  readonly kind: RunKind;
  /** Where the bytes lie, or would lie, in the file that holds the data; where that is said at all. */
  readonly host?: number;
  /** The rule that makes reading fail here, found without reading the data. */
  readonly broken?: Broken;
}

/** Why an access fails. */
export interface Broken {
  readonly rule: RuleId;
  readonly place: Place;
  readonly message: string;
}

/** An access to content that fails, as QEMU's would with an input/output error. */
export class AccessError extends Error {
  readonly broken: Broken;

  constructor(broken: Broken) {
    super(broken.message);
    this.name = "AccessError";
    this.broken = broken;
  }
}

/** What `check` counts. Zero counts are zero here; qemu-img leaves most of them out of its JSON. */
export interface CheckCounts {
  readonly corruptions: number;
  readonly leaks: number;
  readonly checkErrors: number;
  readonly imageEndOffset: number;
  readonly totalClusters: number;
  readonly allocatedClusters: number;
  readonly fragmentedClusters: number;
  readonly compressedClusters: number;
}

/** A backing file as an image names it. */
export interface BackingReference {
  readonly name: string;
  /** The format that the image says the backing file has; probed where absent. */
  readonly format?: string;
}

/** An external data file as an image names it. */
export interface DataFileReference {
  /** As in the image; taken literally as a path. */
  readonly name?: string;
}

/** JSON as `JSON.parse` gives it. */
export type Json = null | boolean | number | string | readonly Json[] | {
  readonly [key: string]: Json;
};

/** The part of `info` that one format knows, in qemu-img's shape. */
export interface LayerInfo {
  readonly "cluster-size"?: number;
  readonly "dirty-flag": boolean;
  readonly encrypted?: true;
  readonly snapshots?: readonly Json[];
  readonly "format-specific"?: {
    readonly type: string;
    readonly data: { readonly [key: string]: Json };
  };
}

/** An internal snapshot, as a reader wants to know it. */
export interface SnapshotSummary {
  readonly id: string;
  readonly name: string;
  /**
   * Virtual size in bytes when it was taken. Its content is read at the image's present size, as QEMU
   * does: what is longer is cut, what is shorter goes on as the snapshot's tables say.
   */
  readonly virtualSize: number;
}

/** A persistent bitmap: which parts of the disk were written to. */
export interface BitmapSummary {
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
  readonly format: FormatName;
  /** Bytes that a guest sees; a multiple of 512. */
  readonly virtualSize: number;
  readonly clusterSize: number;
  readonly backing?: BackingReference;
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

/** Work that may still be done; whoever does some takes it off. */
export interface WorkBudget {
  left: number;
}

/** What a driver is told that the image does not say. */
export interface DriverOptions {
  /** Each is tried, in this order; without any, encrypted content cannot be read. */
  readonly passphrases?: readonly Uint8Array[];
  /** Work that trying passphrases may take: iterations of PBKDF2 with SHA-256, or as much of others. */
  readonly iterationsMax?: number;
  /** What is left of that where several images share it. */
  readonly budget?: WorkBudget;
  /** For `luks`: what holds the payload of a detached header. */
  readonly payload?: ByteSource;
  /** For `qcow2`: read the image as this draft of the format says, and not as the format does. */
  readonly dialect?: Dialect;
}

/**
 * Drafts of a format that images were made by. `draft-2016`: the patch "qcow2: add support for LUKS
 * encryption format" of January 2016, whose LUKS header stands in a header extension.
 */
export type Dialect = "draft-2016";

/** A format as the layers above see it. */
export interface FormatDriver {
  readonly name: FormatName;
  /** Whether QEMU's probing takes a file with these first 512 bytes (zero-padded) for this format. */
  probe(head: Uint8Array): boolean;
  /**
   * Decodes an image and judges what an open looks at. Total: whatever is wrong becomes a finding.
   *
   * @returns the layer, or `undefined` where too little of the image is sound to walk it
   */
  open(source: ByteSource, findings: Findings, options?: DriverOptions): Layer | undefined;
  /** What an image file is made of. Total, and bounded whatever the image says. */
  anatomy?(source: ByteSource, options: AnatomyOptions): Anatomy;
}
