import { SECTOR, utf8 } from "../../bytes/mod.ts";
import type { BackingReference, DiskContent, ResizeOptions } from "../../format/mod.ts";
import type { Luks1Options } from "../../luks1/mod.ts";
import { type Geometry, geometryOf, l1Needed, V2_REFCOUNT_ORDER } from "../geometry.ts";
import { l1Entry, limits } from "../structures.ts";

/** Encryption of clusters: the legacy AES, or a LUKS header inside the image. */
export type Qcow2Encryption =
  | { readonly kind: "aes"; readonly passphrase: Uint8Array }
  | { readonly kind: "luks"; readonly options: Luks1Options };

/** Clusters are allocated in the tables alone, or the file has their space as well. */
export type Preallocation = NonNullable<ResizeOptions["preallocation"]>;

/** Options for a new image. */
export interface Qcow2Creation {
  /** Virtual size in bytes, a multiple of the sector size. */
  readonly size: number;
  readonly version: 2 | 3;
  /** A power of two from 512 to 2 MiB. */
  readonly clusterSize: number;
  /** A power of two from 1 to 64; 16 in version 2. */
  readonly refcountBits: number;
  readonly lazyRefcounts?: boolean;
  readonly extendedL2?: boolean;
  readonly compression?: "deflate" | "zstd";
  /** Compresses clusters if that makes them shorter. */
  readonly compressed?: boolean;
  readonly backing?: BackingReference;
  /**
   * Writes clusters to an external data file with this name. If it is to be a raw image, every cluster
   * is at its guest offset.
   */
  readonly dataFile?: { readonly name: string; readonly raw: boolean };
  readonly encryption?: Qcow2Encryption;
  /** What is allocated for clusters without content: as in qemu-img, and "off" if absent. */
  readonly preallocation?: Preallocation;
  /** The guest content. If absent, no cluster has content. */
  readonly content?: DiskContent;
}

/** A condition on the options, and the message if it does not hold. */
type Rule = readonly [holds: boolean, says: string];

/**
 * Checks options against the rules of the format and of QEMU.
 *
 * @throws {RangeError} with the message of the first broken rule
 */
export function checkCreation(creation: Qcow2Creation): Geometry {
  const broken = [...rangeRules(creation), ...versionRules(creation), ...otherRules(creation)]
    .find(([holds]) => !holds);
  if (broken !== undefined) throw new RangeError(`Cannot create an image: ${broken[1]}`);
  const geometry = geometryOf({
    clusterBits: Math.log2(creation.clusterSize),
    refcountOrder: Math.log2(creation.refcountBits),
    extendedL2: creation.extendedL2 === true,
  });
  const l1Size = Number(l1Needed(BigInt(creation.size), geometry));
  if (l1Size * l1Entry.size > limits.l1Table) {
    throw new RangeError(
      `Cannot create an image: with clusters of ${creation.clusterSize} bytes, the L1 table for a ` +
        `disk of ${creation.size} bytes is longer than 32 MiB`,
    );
  }
  return geometry;
}

function rangeRules(creation: Qcow2Creation): Rule[] {
  const { size, clusterSize, refcountBits, extendedL2 = false } = creation;
  const { min, max } = limits.clusterBits;
  const bits = Math.log2(clusterSize);
  const order = Math.log2(refcountBits);
  return [
    [size >= 0 && size % SECTOR === 0, `the size of ${size} bytes is not a multiple of ${SECTOR}`],
    [
      Number.isInteger(bits) && bits >= min && bits <= max,
      `the cluster size must be a power of two from 512 to 2M, not ${clusterSize}`,
    ],
    [
      Number.isInteger(order) && order >= 0 && order <= limits.refcountOrder,
      `the refcount width must be 1, 2, 4, 8, 16, 32 or 64 bits, not ${refcountBits}`,
    ],
    [
      !extendedL2 || bits >= limits.extendedClusterBits,
      "extended L2 entries require a cluster size of at least 16K",
    ],
  ];
}

function versionRules(creation: Qcow2Creation): Rule[] {
  if (creation.version === 3) return [];
  const { refcountBits, lazyRefcounts = false, extendedL2 = false } = creation;
  const { compression = "deflate", dataFile } = creation;
  return [
    [refcountBits === 2 ** V2_REFCOUNT_ORDER, "version 2 requires a refcount width of 16 bits"],
    [!lazyRefcounts, "lazy refcounts require version 3 (compat=1.1)"],
    [!extendedL2, "extended L2 entries require version 3 (compat=1.1)"],
    [compression === "deflate", "compression other than deflate requires version 3 (compat=1.1)"],
    [dataFile === undefined, "an external data file requires version 3 (compat=1.1)"],
  ];
}

function otherRules(creation: Qcow2Creation): Rule[] {
  const { backing, dataFile, encryption, compressed = false, extendedL2 = false } = creation;
  const isAllocated = (creation.preallocation ?? "off") !== "off";
  const nameLength = utf8(backing?.name ?? "").length;
  const raw = dataFile?.raw === true;
  return [
    [
      nameLength <= limits.backingName,
      `the name of the backing file has ${nameLength} bytes, more than ${limits.backingName}`,
    ],
    [!raw || backing === undefined, "a raw data file and a backing file cannot be combined"],
    [
      !isAllocated || backing === undefined || extendedL2,
      "preallocation and a backing file can only be combined with extended L2 entries",
    ],
    [!isAllocated || !compressed, "preallocation and compression cannot be combined"],
    [!compressed || encryption === undefined, "compression and encryption cannot be combined"],
    [
      !compressed || dataFile === undefined,
      "compression and an external data file cannot be combined",
    ],
  ];
}
