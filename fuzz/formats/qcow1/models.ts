import * as fc from "fast-check";
import {
  type ClusterContent,
  type GuestCluster,
  limits,
  normaliseQcow1,
  type Placement,
  type Qcow1Model,
} from "../../../src/qcow1/mod.ts";
import {
  compressedPattern,
  type EncryptionOptions,
  FAR_SHARE,
  fileNames,
  type HoleDraw,
  holeDrawOf,
  holeDraws,
  holeOf,
  legacyEncryptions,
  longPath,
  mostly,
  patterns,
  shortPath,
  sometimes,
} from "../../generate/mod.ts";
import { FAR_SECTOR } from "../qcow.ts";

/** Bounds of {@link qcow1Models}. */
export interface Qcow1ModelOptions extends EncryptionOptions {
  /**
   * Guest clusters of the largest image, 2^18 by default. qemu-img looks at each of them, stored or
   * not: a sixth of a second for a million.
   */
  readonly clustersMax?: number;
  /** Disks are only limited by the length of their L1 table; they are for readers of memory alone. */
  readonly vast?: boolean;
  /** Names of backing files; by default of files in the image's directory. */
  readonly backingNames?: fc.Arbitrary<string>;
  /**
   * Some files have a hole that reaches up to this power of two; they are for readers of memory alone.
   */
  readonly far?: number;
}

const CLUSTERS_MAX = 2 ** 18;
/** L1 entries of the largest image that is for readers of memory alone. */
const VAST_L1_MAX = 2 ** 14;
/** How many clusters of a generated image are stored at most. */
const STORED_MAX = 24;
/** More clusters than any image has. */
const FAR = 2 ** 48;

/** The draws behind a model, independent of each other, so that each shrinks by itself. */
interface Draws {
  readonly model: Pick<Qcow1Model, "clusterBits" | "l2Bits" | "mtime" | "padding" | "placement">;
  readonly clusters: readonly ClusterDraw[];
  readonly end: EndDraw;
  readonly backing: boolean;
  readonly name: string;
  /** The name of the backing file is extended to this length, in bytes. */
  readonly nameLength: number;
  readonly encryption: Qcow1Model["encryption"];
  readonly far: HoleDraw | undefined;
}

interface ClusterDraw {
  readonly at: number | { readonly table: number; readonly fromEnd: number };
  readonly content: ClusterContent;
}

/** Where the disk ends. */
interface EndDraw {
  /**
   * Clusters after the last stored one. Below 0, that one is after the end of the disk, and
   * no guest sees it.
   */
  readonly clusters: number;
  /** Bytes of the last cluster, cut to its size; 0 for all of it. */
  readonly bytes: number;
}

/**
 * Every sort of sound qcow version 1 image, small ones more often. All are as `normaliseQcow1` makes
 * them.
 *
 * @example
 * ```ts
 * import * as fc from "fast-check";
 * import { buildQcow1 } from "../../../src/qcow1/mod.ts";
 *
 * fc.assert(fc.property(qcow1Models(), (model) => buildQcow1(model).size >= 48));
 * ```
 */
export function qcow1Models(options: Qcow1ModelOptions = {}): fc.Arbitrary<Qcow1Model> {
  const usual = usualModels(options);
  if (options.vast !== true) return usual;
  return fc.oneof({ weight: 59, arbitrary: usual }, { weight: 1, arbitrary: farSectors(usual) });
}

/** Clusters of an image with sectors beyond 2^32: each of them is large. */
const FAR_STORED_MAX = 3;

/** Images with the largest clusters and tables, whose content is at sectors around 2^32. */
function farSectors(images: fc.Arbitrary<Qcow1Model>): fc.Arbitrary<Qcow1Model> {
  const { clusterBits: { max: clusterBits }, l2Bits: { max: l2Bits } } = limits;
  const far = FAR_SECTOR / 2 ** clusterBits;
  return fc.tuple(images, patterns()).map(([image, pattern]) => {
    const clusters = [-1, ...image.clusters.slice(0, FAR_STORED_MAX).map(({ index }) => index)]
      .map((at): GuestCluster => ({ index: far + at, kind: "data", pattern }));
    const end = Math.max(...clusters.map(({ index }) => index));
    const size = BigInt(end) * 2n ** BigInt(clusterBits) + 2n + image.size % 65536n;
    return normaliseQcow1({ ...image, clusterBits, l2Bits, size, clusters });
  });
}

function usualModels(options: Qcow1ModelOptions): fc.Arbitrary<Qcow1Model> {
  const { backingNames = fileNames("backé") } = options;
  return fc.record<Draws>({
    model: fc.record({
      clusterBits: fc.oneof(
        { withCrossShrink: true },
        { weight: 5, arbitrary: fc.integer({ min: limits.clusterBits.min, max: 12 }) },
        { weight: 2, arbitrary: fc.integer(limits.clusterBits) },
      ),
      l2Bits: fc.integer(limits.l2Bits),
      mtime: mostly(0, fc.nat(0xffffffff)),
      padding: mostly(0, fc.nat(0xffff)),
      placement: placements(),
    }),
    clusters: fc.array(clusterDraws(), { maxLength: STORED_MAX }),
    end: ends(),
    backing: mostly(false, fc.boolean(), 1),
    name: backingNames,
    nameLength: mostly(0, fc.nat(limits.nameLength.max)),
    encryption: sometimes(legacyEncryptions(options), options),
    far: holes(options),
  }).map((draws) => normaliseQcow1(modelOf(draws, mostClusters(draws, options))), drawsOf);
}

function mostClusters({ model }: Draws, { clustersMax, vast }: Qcow1ModelOptions): number {
  return clustersMax ?? (vast === true ? VAST_L1_MAX * 2 ** model.l2Bits : CLUSTERS_MAX);
}

function clusterDraws(): fc.Arbitrary<ClusterDraw> {
  return fc.record({
    at: fc.oneof(
      { withCrossShrink: true },
      { weight: 6, arbitrary: fc.nat(20) },
      { weight: 2, arbitrary: fc.nat(1000) },
      { weight: 1, arbitrary: fc.nat(FAR) },
      { weight: 2, arbitrary: fc.record({ table: fc.nat(2), fromEnd: fc.nat(3) }) },
      { weight: 2, arbitrary: fc.record({ table: fc.nat(2), fromEnd: fc.constant(-1) }) },
    ),
    content: fc.oneof(
      { withCrossShrink: true },
      fc.record({ kind: fc.constant("data"), pattern: patterns() }),
      fc.record({
        kind: fc.constant("compressed"),
        pattern: patterns(),
        level: mostly(-1, fc.integer({ min: 1, max: 9 })),
        gap: mostly(0, fc.nat(1000)),
        aligned: mostly(true, fc.constant(false)),
      }),
    ),
  });
}

function ends(): fc.Arbitrary<EndDraw> {
  return fc.record({
    clusters: fc.oneof(
      { withCrossShrink: true },
      { weight: 8, arbitrary: fc.constant(0) },
      { weight: 4, arbitrary: fc.integer({ min: -8, max: 8 }) },
      { weight: 1, arbitrary: fc.integer({ min: -FAR, max: FAR }) },
    ),
    bytes: fc.oneof(
      { withCrossShrink: true },
      { weight: 2, arbitrary: fc.constant(0) },
      { weight: 2, arbitrary: fc.nat(127).map((n) => n * 512, (bytes) => sectors(bytes)) },
      { weight: 1, arbitrary: fc.nat(65535) },
    ),
  });
}

/** The first bit that offsets of other versions of the format do not have. */
const MASKED_BITS = 54;

function holes({ far }: Qcow1ModelOptions): fc.Arbitrary<HoleDraw | undefined> {
  const most = far ?? MASKED_BITS;
  const bits = { most, masks: Math.min(MASKED_BITS, most) };
  return fc.oneof(
    { withCrossShrink: true },
    { weight: FAR_SHARE - 1, arbitrary: fc.constant(undefined) },
    { weight: far === undefined ? 0 : 1, arbitrary: holeDraws({ ...bits, unit: 1024 }) },
  );
}

function sectors(bytes: unknown): number {
  if (typeof bytes !== "number" || bytes % 512 !== 0) throw new TypeError("Cannot count sectors");
  return bytes / 512;
}

function placements(): fc.Arbitrary<Placement> {
  return fc.record({
    seed: mostly(0, fc.nat(0xffffffff)),
    holes: fc.array(fc.nat(5), { maxLength: 8 }),
    l1Skew: mostly(0, fc.nat(7)),
    l2Skews: mostly([], fc.array(fc.nat(65535), { maxLength: 3 })),
    clusterSkews: mostly([], fc.array(fc.nat(127), { maxLength: 3 })),
    cutTail: fc.boolean(),
  });
}

/** The model that the draws stand for, not yet normal. */
function modelOf(draws: Draws, clustersMax: number): Qcow1Model {
  const { model, end, backing, name, nameLength, encryption, far } = draws;
  const { clusterBits, l2Bits, placement } = model;
  const clusterSize = 2 ** clusterBits;
  const clusters = draws.clusters.map(({ at, content }): GuestCluster => ({
    index: indexOf(at, 2 ** l2Bits) % clustersMax,
    ...content,
    ...(content.kind === "compressed"
      ? { pattern: compressedPattern(content.pattern, clusterBits) }
      : {}),
  }));
  const last = Math.max(0, ...clusters.map(({ index }) => index));
  const whole = Math.min(Math.max(0, last + end.clusters), clustersMax - 1);
  const bytes = end.bytes % clusterSize;
  return {
    ...model,
    format: "qcow",
    size: BigInt(whole) * BigInt(clusterSize) + BigInt(bytes === 0 ? clusterSize : bytes),
    clusters,
    ...(backing ? { backing: { name: longPath(name, nameLength) } } : {}),
    ...(encryption === undefined ? {} : { encryption }),
    placement: {
      ...placement,
      l2Skews: placement.l2Skews.map((skew) => skew % clusterSize),
      clusterSkews: placement.clusterSkews.map((skew) => skew % (clusterSize / 512)),
      ...(far === undefined ? {} : { far: holeOf(far) }),
    },
  };
}

/** A cluster by its number, or by its distance from the end of an L2 table. */
function indexOf(at: ClusterDraw["at"], entries: number): number {
  return typeof at === "number" ? at : (at.table + 1) * entries - 1 - at.fromEnd;
}

/** Draws that stand for a model. */
function drawsOf(value: unknown): Draws {
  const { format, size, clusters, backing, encryption, ...rest } = value as Qcow1Model;
  const { placement: { far, ...placement } } = rest;
  const model = { ...rest, placement };
  if (format !== "qcow") throw new TypeError("Cannot unmap a model of another format");
  const clusterSize = BigInt(2 ** model.clusterBits);
  const last = Math.max(0, ...clusters.map(({ index }) => index));
  const path = shortPath(backing?.name ?? "b");
  return {
    model,
    clusters: clusters.map(({ index, ...content }) => ({ at: index, content })),
    end: {
      clusters: Number((size - 1n) / clusterSize) - last,
      bytes: Number(size % clusterSize),
    },
    backing: backing !== undefined,
    name: path.name,
    nameLength: path.length,
    encryption,
    far: far === undefined ? undefined : holeDrawOf(far),
  };
}
