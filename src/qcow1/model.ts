import type { Pattern } from "../format/mod.ts";

/**
 * The model of a qcow version 1 image: a small plain value that says everything about it.
 * `buildQcow1` turns it into bytes. A model is JSON but for the `bigint`. The backing file that it
 * refers to is not part of it.
 */

/** What one guest cluster holds. */
export type ClusterContent =
  /** A cluster of data. */
  | { readonly kind: "data"; readonly pattern: Pattern }
  /** Compressed data; stored as it is where it does not get shorter, as QEMU would. */
  | {
    readonly kind: "compressed";
    readonly pattern: Pattern;
    /** 1 to 9, or -1 for zlib's default, which is QEMU's. */
    readonly level: number;
    /** Bytes left free before it. */
    readonly gap: number;
    /** It starts at a multiple of 512 behind them, as QEMU's do, and not just anywhere. */
    readonly aligned: boolean;
  };

/**
 * A guest cluster and what it holds. Clusters that a model does not name are unallocated. A cluster
 * beyond the end of the disk is stored all the same, where there is an entry for it.
 */
export type GuestCluster = { readonly index: number } & ClusterContent;

/** The legacy encryption: the passphrase is the key. */
export interface LegacyEncryption {
  /** The method of encryption. */
  readonly kind: "aes";
  /** Its first 16 bytes of UTF-8 count. */
  readonly passphrase: string;
}

/** Where things lie. */
export interface Placement {
  /**
   * Shuffles the order in which the backing file name, tables and clusters are put into the file; 0 is
   * the order in which QEMU would. A very long L1 table comes last in any case.
   */
  readonly seed: number;
  /** Free sectors, each skipped before the n-th thing that is placed. */
  readonly holes: readonly number[];
  /** Bytes by which the L1 table is off a multiple of 8: 0 to 7. */
  readonly l1Skew: number;
  /** Bytes by which L2 tables are off a multiple of the cluster size, one after the other, repeated. */
  readonly l2Skews: readonly number[];
  /** The same for uncompressed clusters, in sectors. */
  readonly clusterSkews: readonly number[];
  /** The file ends behind the last byte that is not zero; what is cut off reads as zeros. */
  readonly cutTail: boolean;
}

/** A qcow version 1 image. */
export interface Qcow1Model {
  /** Marks a model of this format. */
  readonly format: "qcow";
  /** 9 to 16. */
  readonly clusterBits: number;
  /** 6 to 13. */
  readonly l2Bits: number;
  /** Virtual size in bytes; any value from 2 on, also off a multiple of 512. */
  readonly size: bigint;
  /** Fields that mean nothing to a reader. */
  readonly mtime: number;
  /** The padding field of the header. */
  readonly padding: number;
  /** The guest clusters with content, ascending. */
  readonly clusters: readonly GuestCluster[];
  /** Name of the backing file, relative to the image. */
  readonly backing?: { readonly name: string };
  /** Clusters of data are encrypted, beyond the end of the disk as well; compressed ones are not. */
  readonly encryption?: LegacyEncryption;
  /** Where tables and clusters are placed. */
  readonly placement: Placement;
}
