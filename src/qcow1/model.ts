import type { FarHole, Pattern } from "../format/mod.ts";

/**
 * The model of a qcow version 1 image: a small plain value that describes it completely.
 * `buildQcow1` turns it into bytes. A model is JSON except for its `bigint`. The backing file is not
 * part of it.
 */

/** The content of a guest cluster. */
export type ClusterContent =
  /** A cluster of data. */
  | { readonly kind: "data"; readonly pattern: Pattern }
  /** Compressed data. If compression does not make it shorter, it is stored uncompressed, as in QEMU. */
  | {
    readonly kind: "compressed";
    readonly pattern: Pattern;
    /** 1 to 9, or -1 for zlib's default, which is QEMU's. */
    readonly level: number;
    /** Bytes left free before it. */
    readonly gap: number;
    /** It starts at the next multiple of 512, as in QEMU. */
    readonly aligned: boolean;
  };

/**
 * A guest cluster and its content. Clusters that are not in the model are unallocated. A cluster past
 * the end of the disk is stored too if there is an entry for it.
 */
export type GuestCluster = { readonly index: number } & ClusterContent;

/** The legacy encryption: the passphrase is the key. */
export interface LegacyEncryption {
  /** The method of encryption. */
  readonly kind: "aes";
  /** Only the first 16 bytes of its UTF-8 form are used. */
  readonly passphrase: string;
}

/** Layout of the file. */
export interface Placement {
  /**
   * Seed that shuffles the order of the backing file name, tables and clusters in the file; 0 is
   * QEMU's order. A very long L1 table is always last.
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
  /** A hole before those parts that an entry or the header can place behind it. Below 2^63. */
  readonly far?: FarHole;
  /**
   * The file ends after the last nonzero byte. The rest reads as zeros. A cluster in which the disk ends
   * is stored up to there.
   */
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
  /** Virtual size in bytes: 2 or more, not necessarily a multiple of 512. */
  readonly size: bigint;
  /** Fields that readers ignore. */
  readonly mtime: number;
  /** The padding field of the header. */
  readonly padding: number;
  /** The guest clusters with content, ascending. */
  readonly clusters: readonly GuestCluster[];
  /** Name of the backing file, relative to the image. */
  readonly backing?: { readonly name: string };
  /** Clusters of data are encrypted, including those past the end of the disk. Compressed ones are not. */
  readonly encryption?: LegacyEncryption;
  /** Where tables and clusters are placed. */
  readonly placement: Placement;
}
