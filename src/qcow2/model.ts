import type { Pattern } from "../format/mod.ts";
import type { Luks1Model } from "../luks1/mod.ts";

/**
 * The model of a qcow2 image: a small plain value that says everything about it. `layOut` puts it in
 * its place, `buildQcow2` turns it into bytes. A model is JSON but for the `bigint`s. What it refers to,
 * a backing file or a data file, is not part of it.
 */

/** What one guest cluster holds. */
export type ClusterContent =
  /** A cluster of data. */
  | { readonly kind: "data"; readonly pattern: Pattern }
  /** Reads as zeros, with no host cluster. */
  | { readonly kind: "zero" }
  /** Reads as zeros, with a host cluster that holds something else. */
  | { readonly kind: "zero-allocated"; readonly pattern: Pattern }
  /** Compressed data. */
  | {
    readonly kind: "compressed";
    readonly pattern: Pattern;
    readonly level: number;
    /** Bytes left free before it, so that it starts anywhere in a sector. */
    readonly gap: number;
  }
  /** Extended L2 entries only: what each of the 32 subclusters is. A subcluster is in one mask or none. */
  | {
    readonly kind: "subclusters";
    /** Bit x: subcluster x is allocated. */
    readonly allocated: number;
    /** Bit x: subcluster x reads as zeros. */
    readonly zero: number;
    /** There is a host cluster although nothing is allocated. */
    readonly reserved: boolean;
    readonly pattern: Pattern;
  };

/** A guest cluster and what it holds. Clusters that a model does not name are unallocated. */
export type GuestCluster = { readonly index: number } & ClusterContent;

/** An internal snapshot. */
export interface SnapshotModel {
  readonly id: string;
  readonly name: string;
  /** Bytes of extra data: 0 to 1024; version 3 wants at least 16. */
  readonly extraSize: number;
  /** Virtual size at the time, in bytes. */
  readonly size: number;
  readonly dateSec: number;
  readonly vmClockNsec: number;
  readonly icount: bigint;
  /**
   * Its clusters. Guest clusters listed in `shared` are, beyond these, the same host clusters as the
   * active image's.
   */
  readonly clusters: readonly GuestCluster[];
  readonly shared: readonly number[];
  /** Clusters of VM state, stored behind the guest's disk. */
  readonly vmState: readonly Pattern[];
}

/** A persistent bitmap. */
export interface BitmapModel {
  readonly name: string;
  readonly granularityBits: number;
  readonly auto: boolean;
  readonly inUse: boolean;
  /** What each cluster of the bitmap's table is, repeated as far as needed. */
  readonly table: readonly ("zeros" | "ones" | "data")[];
  readonly seed: number;
}

/** A header extension that readers do not know. */
export interface UnknownExtension {
  readonly type: number;
  readonly length: number;
  readonly seed: number;
}

/** How an image refers to its backing file. */
export interface BackingModel {
  /** Name in the header, relative to the image. */
  readonly name: string;
  /** Content of the backing format extension; no extension where it is absent. */
  readonly format?: string;
}

/**
 * How the content is encrypted. Metadata is not, nor are compressed clusters, and what is after a
 * cluster that reads as zeros is anything.
 */
export type EncryptionModel = LegacyEncryption | LuksEncryption;

/** The legacy encryption: the passphrase is the key, and sectors are counted as the guest does. */
export interface LegacyEncryption {
  readonly kind: "aes";
  /** Its first 16 bytes of UTF-8 count. */
  readonly passphrase: string;
}

/** A LUKS header inside the image; sectors are counted in the file that holds the clusters. */
export interface LuksEncryption extends
  Pick<
    Luks1Model,
    "spec" | "seed" | "uuid" | "digestIterations" | "keys" | "erased" | "material" | "gap"
  > {
  readonly kind: "luks";
  /** Bytes of the encryption header behind the payload offset, where QEMU's ends. */
  readonly spare: number;
}

/** Where things lie. */
export interface Placement {
  /**
   * Shuffles the order in which tables and clusters are put into the file; 0 is the order in which
   * QEMU would.
   */
  readonly seed: number;
  /** Free host clusters, each skipped before the n-th thing that is placed. */
  readonly holes: readonly number[];
  /** Host clusters with a refcount of 1 that nothing refers to. */
  readonly leaks: number;
  /** L1 entries beyond those that the size needs. */
  readonly spareL1: number;
  /** Clusters of the refcount table beyond those that are needed. */
  readonly spareReftable: number;
  /** The file ends at the last byte in use rather than at a cluster boundary. */
  readonly cutTail: boolean;
}

/** A qcow2 image. */
export interface Qcow2Model {
  readonly format: "qcow2";
  readonly version: 2 | 3;
  readonly clusterBits: number;
  /** Virtual size in bytes; any value, also off a multiple of 512. */
  readonly size: bigint;
  /** 0 to 6; 4 in version 2. */
  readonly refcountOrder: number;
  readonly extendedL2: boolean;
  readonly compression: "deflate" | "zstd";
  /** 104, 112 or more, in steps of 8; 72 in version 2. 104 only without zstd. */
  readonly headerLength: number;
  readonly dirty: boolean;
  readonly corrupt: boolean;
  readonly lazyRefcounts: boolean;
  /** Compatible and autoclear feature bits that nobody knows. */
  readonly unknownCompatible: bigint;
  readonly unknownAutoclear: bigint;
  readonly featureTable: boolean;
  readonly unknownExtensions: readonly UnknownExtension[];
  readonly clusters: readonly GuestCluster[];
  readonly snapshots: readonly SnapshotModel[];
  readonly bitmaps: readonly BitmapModel[];
  readonly backing?: BackingModel;
  /** An external data file; `raw` sets the autoclear bit. */
  readonly dataFile?: { readonly name: string; readonly raw: boolean };
  readonly encryption?: EncryptionModel;
  readonly placement: Placement;
}
